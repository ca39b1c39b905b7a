/** Words for a race: each says what was measured, at whatever settings. */
import { short } from "../page/numbers.ts";
import { type Doing, doingOf } from "./doing.ts";
import { LAP, type Lane, RACER_NAMES, type Race, type RacerName } from "./race.ts";
import type { SurfaceName } from "./surfaces.ts";

export const racerTitles: Record<RacerName, string> = {
  descent: "Gradient descent",
  adam: "Adam",
  scheduleFree: "Schedule-free",
  rmsprop: "RMSprop",
};

/** The one this page is about comes first. */
export const BY_INTEREST = [...RACER_NAMES].reverse();

export const landscapes: Record<SurfaceName, string> = {
  ravine: "A ravine: steep walls, and a floor that hardly slopes.",
  saddle: "A pass between two basins. On its crest the ground is nearly flat.",
  bowl: "A bowl two hundred times as steep in one direction as in the other.",
  noisy:
    "The slope is told wrongly at each step, as it is when a network sees a few examples at a time, and now and then very wrongly.",
};

/** A few words for the board. */
export function stateOf(lane: Lane, race: Race): string {
  const { kind } = doingOf(lane, race);
  if (kind === "out") return `thrown out, step ${lane.outAfter}`;
  if (kind === "arrived") return `there at step ${lane.arrivedAfter}`;
  if (kind === "left") return "was there, left again";
  return STATES[kind];
}

const STATES = {
  inside: "inside the ring",
  starting: "starting",
  swinging: "swings to and fro",
  overshot: "has overshot",
  stalled: "hardly moves",
  nearing: "on its way",
  straying: "moves away",
};

/** The lead, and the movement of RMSprop and of gradient descent. */
export function captionOf(race: Race): string {
  const sentences = [leadOf(race), movementOf("rmsprop", race), movementOf("descent", race)];
  return sentences.filter((sentence) => sentence !== "").join(" ");
}

/** The racer that is ahead: the first that arrived, or else the nearest by more than a goal's radius. */
export function leaderOf({ lanes, surface }: Race): RacerName | undefined {
  const running = RACER_NAMES.filter((name) => lanes[name].outAfter === undefined);
  const rank = (name: RacerName) => lanes[name].arrivedAfter ?? LAP + lanes[name].distance;
  const [first, second] = running.sort((one, other) => rank(one) - rank(other));
  if (first === undefined || second === undefined) return first;
  const [ahead, behind] = [lanes[first], lanes[second]];
  if (ahead.arrivedAfter !== undefined) return ahead.arrivedAfter === behind.arrivedAfter ? undefined : first;
  return behind.distance - ahead.distance > surface.goal ? first : undefined;
}

function leadOf(race: Race): string {
  const leader = leaderOf(race);
  if (leader === undefined) return "Nobody is clearly ahead.";
  const { arrivedAfter, distance } = race.lanes[leader];
  if (arrivedAfter !== undefined)
    return `${racerTitles[leader]} was the first to arrive, at step ${arrivedAfter}.`;
  return `${racerTitles[leader]} leads, ${short(distance)} from the lowest point.`;
}

function movementOf(name: RacerName, race: Race): string {
  const lane = race.lanes[name];
  const doing = doingOf(lane, race);
  // The lead has said it.
  if (doing.kind === "arrived" && leaderOf(race) === name) return "";
  const words = movement(doing, lane);
  return words && `${racerTitles[name]} ${words}.`;
}

function movement({ kind, steps, travelled, nearer }: Doing, lane: Lane): string {
  const lately = `in its last ${steps} steps`;
  const balance = nearer > 0 ? `${short(nearer)} nearer` : `${short(-nearer)} farther away`;
  switch (kind) {
    case "out":
      return `was thrown out at step ${lane.outAfter}`;
    case "arrived":
      return `arrived at step ${lane.arrivedAfter}`;
    case "left":
      return `arrived at step ${lane.arrivedAfter}, and has left the ring again`;
    case "inside":
      return "is inside the ring, and has to stay there";
    case "starting":
      return "";
    case "swinging":
      return `swings to and fro: a way of ${short(travelled)} ${lately}, and ${balance}`;
    case "overshot":
      return `has overshot the lowest point, and is ${short(lane.distance)} away`;
    case "stalled":
      return `hardly moves: a way of ${short(travelled)} ${lately}`;
    case "nearing":
      return `comes nearer by ${short(nearer)} ${lately}`;
    case "straying":
      return `moves away: by ${short(-nearer)} ${lately}`;
  }
}

/** The outcome of a race that is over: RMSprop's, and then the others'. */
export function verdictOf(race: Race): { title: string; detail: string } {
  const others = BY_INTEREST.filter((name) => name !== "rmsprop");
  return {
    title: outcomeOf(race),
    detail: others.map((name) => `${racerTitles[name]}: ${placeOf(race.lanes[name])}`).join(" · "),
  };
}

function outcomeOf(race: Race): string {
  const { rmsprop } = race.lanes;
  if (rmsprop.outAfter !== undefined) {
    return `RMSprop was thrown out at step ${rmsprop.outAfter}. A smaller lr keeps it in.`;
  }
  if (rmsprop.arrivedAfter === undefined) {
    return `RMSprop is not there after ${race.steps} steps: ${short(rmsprop.distance)} to go.`;
  }
  const place = leaderOf(race) === "rmsprop" ? "first, " : "";
  return `RMSprop arrives ${place}at step ${rmsprop.arrivedAfter}.`;
}

function placeOf({ outAfter, arrivedAfter, distance }: Lane): string {
  if (outAfter !== undefined) return `thrown out at step ${outAfter}`;
  if (arrivedAfter !== undefined) return `there at step ${arrivedAfter}`;
  return `${short(distance)} to go`;
}
