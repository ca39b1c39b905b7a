/** Cart and pole by policy gradients (REINFORCE with a running baseline): the noisiest gradients of all. */
import { seededRandom } from "../mnist/random.ts";
import { initialise, type Tensors } from "./layers.ts";
import type { Task } from "./task.ts";

/** The limit is the classic task's. At 200, half the runs end with nothing left to learn, and there is nothing to compare. */
const [HIDDEN, LIMIT, EPISODES] = [16, 500, 4];
/** As in the classic task: gravity, cart and pole, and the push, every fiftieth of a second. */
const [GRAVITY, POLE_MASS, MASS, HALF_LENGTH, FORCE, SECONDS] = [9.8, 0.1, 1.1, 0.5, 10, 0.02];

type State = [x: number, speed: number, angle: number, turn: number];

function move([x, speed, angle, turn]: State, push: number): State {
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const pull = (push + POLE_MASS * HALF_LENGTH * turn * turn * sin) / MASS;
  const turning = (GRAVITY * sin - cos * pull) / (HALF_LENGTH * (4 / 3 - (POLE_MASS * cos * cos) / MASS));
  const gain = pull - (POLE_MASS * HALF_LENGTH * turning * cos) / MASS;
  return [x + SECONDS * speed, speed + SECONDS * gain, angle + SECONDS * turn, turn + SECONDS * turning];
}

const isUp = ([x, , angle]: State) => Math.abs(x) < 2.4 && Math.abs(angle) < 0.2095;

/** The probability of a push to the right, and the hidden units behind it. */
function policy(p: Tensors, state: State): { h: Float64Array; right: number } {
  const h = new Float64Array(HIDDEN);
  let logit = p.c![0]!;
  for (let j = 0; j < HIDDEN; j++) {
    let sum = p.b![j]!;
    for (let i = 0; i < 4; i++) sum += state[i]! * p.w![i * HIDDEN + j]!;
    h[j] = Math.tanh(sum);
    logit += h[j]! * p.v![j]!;
  }
  return { h, right: 1 / (1 + Math.exp(-logit)) };
}

function episode(p: Tensors, random: () => number) {
  let state = [0, 0, 0, 0].map(() => random() / 10 - 0.05) as State;
  const moves: { state: State; h: Float64Array; surprise: number }[] = [];
  while (moves.length < LIMIT && isUp(state)) {
    const { h, right } = policy(p, state);
    const goesRight = random() < right;
    moves.push({ state, h, surprise: Number(goesRight) - right });
    state = move(state, goesRight ? FORCE : -FORCE);
  }
  return moves;
}

export function cartPole(): Task {
  return {
    name: "cart and pole, policy gradients",
    loss: "steps short of 500",
    // At the default rate, the pole stands after some 150 updates.
    steps: 400,
    tooFew: 150,
    shapes: { w: [4, HIDDEN], b: [HIDDEN], v: [HIDDEN, 1], c: [1] },
    start(p, random) {
      initialise(p.w!, 1, random);
      initialise(p.v!, HIDDEN, random);
    },
    gradients(p, g, random) {
      const episodes = Array.from({ length: EPISODES }, () => episode(p, random));
      const moves = episodes.flatMap((all) => all.map((one, t) => ({ ...one, left: all.length - t })));
      const mean = moves.reduce((sum, { left }) => sum + left, 0) / moves.length;
      const spread = Math.sqrt(moves.reduce((sum, { left }) => sum + (left - mean) ** 2, 0) / moves.length);
      for (const { state, h, surprise, left } of moves) {
        const d = (-surprise * (left - mean)) / (spread + 1) / moves.length;
        g.c![0]! += d;
        for (let j = 0; j < HIDDEN; j++) {
          g.v![j]! += d * h[j]!;
          const dh = d * p.v![j]! * (1 - h[j]! ** 2);
          g.b![j]! += dh;
          for (let i = 0; i < 4; i++) g.w![i * HIDDEN + j]! += dh * state[i]!;
        }
      }
    },
    evaluate(p) {
      const random = seededRandom(99);
      let steps = 0;
      for (let i = 0; i < 40; i++) steps += episode(p, random).length;
      return LIMIT - steps / 40;
    },
  };
}
