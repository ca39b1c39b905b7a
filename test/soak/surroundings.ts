/** Commands of those around an optimizer: who grows its memory, attaches to it, shares it, or fails to. */
import fc from "fast-check";
import { type Params, RMSprop, RMSpropError } from "rmsprop-wasm";
import { command, pick, who } from "./command.ts";
import type { Session } from "./session.ts";
import { GOOD } from "./values.ts";
import { type Plan, same, type World } from "./world.ts";

function grow(session: Session, { pages }: { pages: number }) {
  const [first, second] = session.worlds.map((world) => world.grow(pages));
  if (session.plan.kind !== "threads") same("growths", second, first);
  session.check();
}

const MOST_MEMBERS = 4;

async function attach(
  session: Session,
  { who, lr }: { who: number; lr: Plan["groups"][number]["hyper"]["lr"] },
) {
  if (session.members.length < MOST_MEMBERS) await session.attach(pick(session.members, who), lr);
}

async function badAttach(session: Session, { handle }: { handle: unknown }) {
  await session.call(session.members[0]!, { refusals: ["ParameterError"], apply() {} }, (_, { entry }) =>
    entry.attach(handle as never),
  );
}

async function ready(session: Session, { who }: { who: number }) {
  const member = pick(session.members, who);
  await session.call(member, { refusals: [], apply: () => undefined }, (real) => real.ready);
}

function dispose(session: Session, { who }: { who: number }) {
  const { reals, model } = pick(session.members, who);
  for (const real of reals) real.dispose();
  model.isDisposed = true;
  session.check();
}

/** Calls the constructor in the memory of a session, on both backends alike. Gives the errors that it throws. */
function make(session: Session, act: (world: World) => void): unknown[] {
  const errors = session.worlds.map((world) => {
    const { buffer } = world.memory;
    try {
      act(world);
      return undefined;
    } catch (error) {
      same("the memory of a constructor that failed", world.memory.buffer === buffer, true);
      if (!(error instanceof RMSpropError)) throw error;
      return error;
    } finally {
      world.noteGrowth();
    }
  });
  if (session.plan.kind !== "threads") same("errors", errors[1], errors[0]);
  session.check();
  return errors;
}

/** Makes another optimizer in the same memory, which steps beside one in a memory of its own. */
function neighbour(session: Session, { count, seed }: { count: number; seed: number }) {
  make(session, (world) => world.addNeighbour(count, seed));
}

function neighbourSteps(session: Session, { seed }: { seed: number }) {
  for (const world of session.worlds) world.stepNeighbours(seed);
  session.check();
}

const TOO_LARGE = [{ params: { a: [20_000] } }, { params: { w: [2 ** 30] } }];
const at = (param: number) => ({ param, grad: param + 1024, count: 100 });
const BAD_ARGUMENTS: readonly [params: unknown, options: object][] = [
  [{ w: [0] }, {}],
  [{ w: [4] }, { lr: -1 }],
  [TOO_LARGE, {}],
  [{ a: [20_000], v: at(1024), w: at(1028) }, {}],
  [{ a: [20_000], w: at(2 ** 32 - 1024) }, {}],
  [{ a: [20_000], w: at(1026) }, {}],
  [[{ params: { a: [20_000] } }, { params: { w: [4] }, momentum: -1 }], {}],
  [{ a: [20_000] }, { allocate: () => 0 }],
  [{ a: [200] }, { allocate: () => 1024 }],
  [{ a: [200] }, { allocate: () => 1026 }],
];

function badMake(session: Session, { args: [params, options] }: { args: (typeof BAD_ARGUMENTS)[number] }) {
  const errors = make(session, ({ memory, backend }) => {
    new RMSprop(params as Params, { ...options, memory, backend }).dispose();
  });
  if (errors.includes(undefined)) throw new Error("The constructor took what it can't");
}

export const SURROUNDINGS = [
  command(3, grow, fc.record({ pages: fc.nat(2) })),
  command(3, attach, fc.record({ who, lr: fc.constantFrom(undefined, ...GOOD.lr.slice(0, 4)) })),
  command(1, badAttach, fc.record({ handle: fc.constantFrom(undefined, {}, { version: 99 }) })),
  command(1, ready, fc.record({ who })),
  command(1, dispose, fc.record({ who })),
  command(1, neighbour, fc.record({ count: fc.integer({ min: 1, max: 20_000 }), seed: fc.nat(999) })),
  command(2, neighbourSteps, fc.record({ seed: fc.nat(999) })),
  command(1, badMake, fc.record({ args: fc.constantFrom(...BAD_ARGUMENTS) })),
];
