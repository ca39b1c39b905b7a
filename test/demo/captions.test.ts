/** The page's sentences about a race are true of its paths, at each rate that its sliders can be set to. */
import { readFileSync } from "node:fs";
import { dialects } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { short } from "../../demo/page/numbers.ts";
import { byPower } from "../../demo/page/scales.ts";
import { captionOf, racerTitles, stateOf, verdictOf } from "../../demo/race/captions.ts";
import { distanceToMinimum, LAP, type Lane, Race, STAY, settingsFor } from "../../demo/race/race.ts";
import type { RaceSettings } from "../../demo/race/racers.ts";
import { type Point, type SurfaceName, surfaces } from "../../demo/race/surfaces.ts";

const page = readFileSync(new URL("../../demo/index.html", import.meta.url), "utf8");

/** All values of a slider of the page. */
function valuesOf(id: string): number[] {
  const [, min, max, step] = page.match(`id="${id}" min="([^"]*)" max="([^"]*)" step="([^"]*)"`)!.map(Number);
  const count = Math.round((max! - min!) / step!) + 1;
  return Array.from({ length: count }, (_, i) => byPower.toValue(min! + i * step!));
}

const rates = valuesOf("race-lr");
const descentRates = valuesOf("race-descent");
const names = Object.keys(surfaces) as SurfaceName[];

const laneOf = ({ lanes }: Race, title: string): Lane =>
  Object.entries(racerTitles).flatMap(([name, one]) =>
    one === title ? lanes[name as keyof typeof lanes] : [],
  )[0]!;

/** Facts of a lane's last steps, by other means than the page's. */
function recentOf({ path }: Lane, { surface }: Race, steps: number) {
  const places = path.slice(path.length - 1 - steps);
  const distances = places.map((place) => distanceToMinimum(surface, place));
  let travelled = 0;
  for (let i = 1; i < places.length; i++) {
    travelled += Math.hypot(places[i]!.x - places[i - 1]!.x, places[i]!.y - places[i - 1]!.y);
  }
  const turns = (axis: keyof Point) => {
    let count = 0;
    for (let i = 2; i < places.length; i++) {
      const [a, b, c] = [places[i - 2]![axis], places[i - 1]![axis], places[i]![axis]];
      if ((a < b && b > c) || (a > b && b < c)) count++;
    }
    return count;
  };
  return { places, travelled, nearer: distances[0]! - distances.at(-1)!, turns };
}

/** Each sentence that the page may say, and what has to be so. */
const CLAIMS: [RegExp, (race: Race, words: string[]) => boolean][] = [
  [
    /^Nobody is clearly ahead\.$/,
    ({ lanes, surface }) => {
      const running = Object.values(lanes).filter(({ outAfter }) => outAfter === undefined);
      const arrivals = running.flatMap(({ arrivedAfter }) => arrivedAfter ?? []).sort((a, b) => a - b);
      if (arrivals.length > 0) return arrivals[0] === arrivals[1];
      const [first, second] = running.map(({ distance }) => distance).sort((a, b) => a - b);
      return running.length === 0 || second! - first! <= surface.goal;
    },
  ],
  [
    /^(.*) leads, (.*) from the lowest point\.$/,
    (race, [title, distance]) => {
      const lane = laneOf(race, title!);
      const others = Object.values(race.lanes).filter((one) => one !== lane && one.outAfter === undefined);
      return (
        distance === short(lane.distance) &&
        others.every(
          (one) => one.arrivedAfter === undefined && one.distance - lane.distance > race.surface.goal,
        )
      );
    },
  ],
  [
    /^(.*) was the first to arrive, at step (\d+)\.$/,
    (race, [title, step]) => {
      const first = laneOf(race, title!).arrivedAfter!;
      if (first !== Number(step)) return false;
      const arrivals = Object.values(race.lanes).flatMap(({ outAfter, arrivedAfter }) =>
        outAfter === undefined && arrivedAfter !== undefined ? arrivedAfter : [],
      );
      return arrivals.filter((one) => one <= first).length === 1;
    },
  ],
  [
    /^(.*) was thrown out at step (\d+)\.$/,
    (race, [title, step]) => laneOf(race, title!).path.length === Number(step),
  ],
  [
    /^(.*) arrived at step (\d+)(, and has left the ring again)?\.$/,
    (race, [title, step, left]) => {
      const lane = laneOf(race, title!);
      const stay = lane.path.slice(Number(step), Number(step) + STAY);
      return (
        stay.length === STAY &&
        stay.every((place) => distanceToMinimum(race.surface, place) < race.surface.goal) &&
        (left !== undefined) === lane.distance >= race.surface.goal
      );
    },
  ],
  [
    /^(.*) is inside the ring, and has to stay there\.$/,
    (race, [title]) => laneOf(race, title!).distance < race.surface.goal,
  ],
  [
    /^(.*) swings to and fro: a way of (\S+) in its last (\d+) steps, and (\S+) (nearer|farther away)\.$/,
    (race, [title, way, steps, balance, direction]) => {
      const { travelled, nearer, turns } = recentOf(laneOf(race, title!), race, Number(steps));
      return (
        way === short(travelled) &&
        balance === short(Math.abs(nearer)) &&
        (direction === "nearer") === nearer > 0 &&
        Math.max(turns("x"), turns("y")) >= Number(steps) / 2 - 1
      );
    },
  ],
  [
    /^(.*) has overshot the lowest point, and is (\S+) away\.$/,
    (race, [title, distance]) => {
      const lane = laneOf(race, title!);
      const now = lane.path.at(-1)!;
      const past = (axis: keyof Point) =>
        race.surface.minima.some((minimum) =>
          lane.path
            .slice(-41)
            .some((place) => (place[axis] - minimum[axis]) * (now[axis] - minimum[axis]) < 0),
        );
      return (
        distance === short(lane.distance) && lane.distance > race.surface.goal && (past("x") || past("y"))
      );
    },
  ],
  [
    /^(.*) hardly moves: a way of (\S+) in its last (\d+) steps\.$/,
    (race, [title, way, steps]) => {
      const { travelled } = recentOf(laneOf(race, title!), race, Number(steps));
      return way === short(travelled) && travelled < race.surface.goal / 4;
    },
  ],
  [
    /^(.*) (comes nearer|moves away:) by (\S+) in its last (\d+) steps\.$/,
    (race, [title, direction, by, steps]) => {
      const { nearer } = recentOf(laneOf(race, title!), race, Number(steps));
      return by === short(Math.abs(nearer)) && (direction === "comes nearer") === nearer > 0;
    },
  ],
];

/** Fails on a sentence that is not true, and on one that nobody has thought of a test for. */
function expectTrue(caption: string, race: Race): void {
  for (const sentence of caption.split(/(?<=\.) (?=[A-Z])/)) {
    const claim = CLAIMS.find(([pattern]) => pattern.test(sentence));
    if (!claim) throw new Error(`nothing tests "${sentence}"`);
    const [pattern, holds] = claim;
    if (!holds(race, sentence.match(pattern)!.slice(1))) {
      throw new Error(`"${sentence}" is not so at step ${race.steps}`);
    }
  }
}

function expectTrueVerdict(race: Race): void {
  const { rmsprop, ...rest } = race.lanes;
  const { title, detail } = verdictOf(race);
  const others = Object.values(rest).filter(({ outAfter }) => outAfter === undefined);
  if (rmsprop.outAfter !== undefined) {
    expect(title).toBe(`RMSprop was thrown out at step ${rmsprop.path.length}. A smaller lr keeps it in.`);
  } else if (rmsprop.arrivedAfter === undefined) {
    expect(race.steps).toBe(LAP);
    expect(title).toBe(`RMSprop is not there after ${LAP} steps: ${short(rmsprop.distance)} to go.`);
  } else {
    const isFirst = others.every(({ arrivedAfter = LAP }) => arrivedAfter > rmsprop.arrivedAfter!);
    expect(title).toBe(`RMSprop arrives ${isFirst ? "first, " : ""}at step ${race.steps - STAY + 1}.`);
  }
  for (const lane of others) {
    expect(detail).toContain(
      lane.arrivedAfter === undefined
        ? `${short(lane.distance)} to go`
        : `there at step ${lane.arrivedAfter}`,
    );
  }
}

/** Runs a race to its end, and gives the states that the board has shown. */
function heardOf(surface: (typeof surfaces)[SurfaceName], settings: RaceSettings): Set<string> {
  const race = new Race(surface, surface.start, settings);
  const states = new Set<string>();
  while (!race.isOver) {
    race.advance();
    if (race.steps % 8 !== 0 && !race.isOver) continue;
    expectTrue(captionOf(race), race);
    for (const lane of Object.values(race.lanes)) states.add(stateOf(lane, race).replace(/\d+/, "N"));
  }
  expectTrueVerdict(race);
  race.dispose();
  return states;
}

describe.each(names)("a race on the surface %s", (name) => {
  const surface = surfaces[name];

  it("ends with RMSprop's arrival at the rates that it begins with, before gradient descent's", () => {
    const race = new Race(surface, surface.start, settingsFor(surface));
    while (!race.isOver) race.advance();
    expect(race.lanes.rmsprop.arrivedAfter).toBeLessThan(LAP);
    expect(race.lanes.descent.arrivedAfter).toBeUndefined();
  });

  it("is told truly at each rate of gradient descent, and of RMSprop and Adam", () => {
    const states = new Set<string>();
    descentRates.forEach((descentLr, i) => {
      const lr = rates[i % rates.length]!;
      for (const state of heardOf(surface, {
        ...settingsFor(surface),
        rmsprop: { ...dialects.keras, lr },
        descentLr,
      })) {
        states.add(state);
      }
    });
    expect([...states]).toEqual(
      expect.arrayContaining([
        "there at step N",
        "swings to and fro",
        "hardly moves",
        "on its way",
        "thrown out, step N",
      ]),
    );
  });

  it("is told truly with momentum, which overshoots", () => {
    const states = new Set<string>();
    for (const lr of rates.filter((_, i) => i % 4 === 0)) {
      for (const momentum of [0.5, 0.9, 0.98]) {
        const settings = { ...settingsFor(surface), rmsprop: { ...dialects.keras, lr, momentum } };
        for (const state of heardOf(surface, settings)) states.add(state);
      }
    }
    expect([...states]).toContain("has overshot");
  });

  it("keeps RMSprop in at a small rate, as the verdict promises", () => {
    for (const dialect of Object.values(dialects)) {
      for (const momentum of [0, 0.98]) {
        const rmsprop = { ...dialect, momentum, lr: rates[0]! };
        const race = new Race(surface, surface.start, { ...settingsFor(surface), rmsprop });
        while (!race.isOver) race.advance();
        expect(race.lanes.rmsprop.outAfter).toBeUndefined();
      }
    }
  });
});
