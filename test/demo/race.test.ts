/** The race, apart from the page. */
import fc from "fast-check";
import { dialects, RMSprop } from "rmsprop-wasm";
import { describe, expect, it, test } from "vitest";
import { levelsOf, MAP } from "../../demo/race/map.ts";
import { RACER_NAMES, Race, settingsFor } from "../../demo/race/race.ts";
import { type Point, type Surface, type SurfaceName, surfaces } from "../../demo/race/surfaces.ts";

const names = Object.keys(surfaces) as SurfaceName[];
const LAP = 600;

const placeIn = ({ x, y }: Surface) =>
  fc.record({
    x: fc.double({ min: x[0], max: x[1], noNaN: true }),
    y: fc.double({ min: y[0], max: y[1], noNaN: true }),
  });

function raceFrom(surface: Surface, start = surface.start, settings = settingsFor(surface)): Race {
  return new Race(surface, start, settings);
}

function run(race: Race, steps = LAP): Race {
  for (let i = 0; i < steps; i++) race.advance();
  return race;
}

describe.each(names)("the surface %s", (name) => {
  const surface = surfaces[name];

  it("slopes as its height says, by central differences", () => {
    fc.assert(
      fc.property(placeIn(surface), ({ x, y }) => {
        const h = 1e-5;
        const { x: byX, y: byY } = surface.gradient(x, y);
        expect(byX).toBeCloseTo((surface.height(x + h, y) - surface.height(x - h, y)) / (2 * h), 5);
        expect(byY).toBeCloseTo((surface.height(x, y + h) - surface.height(x, y - h)) / (2 * h), 5);
      }),
    );
  });

  it("is nowhere lower than at its minima, which it shows", () => {
    const lowest = Math.min(...surface.minima.map(({ x, y }) => surface.height(x, y)));
    for (const { x, y } of surface.minima) {
      expect(surface.height(x, y)).toBeCloseTo(lowest, 12);
      expect(x > surface.x[0] && x < surface.x[1] && y > surface.y[0] && y < surface.y[1]).toBe(true);
    }
    fc.assert(fc.property(placeIn(surface), ({ x, y }) => surface.height(x, y) >= lowest - 1e-12));
  });

  it("has no place from which gradient descent is thrown out, nor RMSprop", () => {
    fc.assert(
      fc.property(placeIn(surface), (start) => {
        const { lanes } = run(raceFrom(surface, start), 200);
        expect([lanes.descent.outAfter, lanes.rmsprop.outAfter]).toEqual([undefined, undefined]);
      }),
      { numRuns: 20 },
    );
  });

  it("is drawn inside of the map, each level a part of the one below", () => {
    const levels = levelsOf(surface);
    expect(levels.length).toBeGreaterThan(10);
    for (const { path } of levels) {
      const numbers = path.match(/-?[\d.]+/g)!.map(Number);
      expect(Math.min(...numbers)).toBeGreaterThanOrEqual(-MAP.width / 50);
      expect(Math.max(...numbers)).toBeLessThanOrEqual(MAP.width * 1.02);
    }
    expect(levels.map(({ share }) => share)).toEqual(levels.map(({ share }) => share).sort((a, b) => a - b));
  });
});

describe("a race", () => {
  it("ends nearer the minimum with RMSprop on the ravine", () => {
    const { lanes } = run(raceFrom(surfaces.ravine));
    expect(lanes.rmsprop.distance).toBeLessThan(lanes.descent.distance / 2);
  });

  it("is won by RMSprop on the ravine from wherever it begins outside of its goal", () => {
    fc.assert(
      fc.property(placeIn(surfaces.ravine), (start) => {
        fc.pre(start.x < 0);
        const { lanes } = run(raceFrom(surfaces.ravine, start));
        expect(lanes.rmsprop.distance).toBeLessThan(lanes.descent.distance);
      }),
      { numRuns: 20 },
    );
  });

  it("takes RMSprop off the saddle and down the uneven bowl in less than half of gradient descent's steps", () => {
    for (const surface of [surfaces.saddle, surfaces.bowl]) {
      const { lanes } = run(raceFrom(surface));
      expect(lanes.rmsprop.arrivedAfter).toBeLessThan(lanes.descent.arrivedAfter! / 2);
    }
  });

  it("throws gradient descent about where gradients err, and RMSprop less", () => {
    const race = raceFrom(surfaces.noisy);
    run(race, 300);
    const farthest = { descent: 0, rmsprop: 0 };
    for (let i = 0; i < 300; i++) {
      race.advance();
      for (const name of ["descent", "rmsprop"] as const) {
        farthest[name] = Math.max(farthest[name], race.lanes[name].distance);
      }
    }
    expect(farthest.rmsprop).toBeLessThan(farthest.descent / 2);
  });

  it("is the same each time, noise included", () => {
    for (const name of names) {
      const [one, other] = [run(raceFrom(surfaces[name]), 100), run(raceFrom(surfaces[name]), 100)];
      for (const racer of RACER_NAMES) expect(one.lanes[racer].path).toEqual(other.lanes[racer].path);
    }
  });

  it("moves RMSprop by the library's own steps, and shows its own rates and averages", () => {
    const surface = surfaces.bowl;
    const race = run(raceFrom(surface), 50);
    const { x, y } = surface.start;
    const optimizer = new RMSprop({ p: Float32Array.of(x, y) }, settingsFor(surface).rmsprop);
    const { p } = optimizer.params;
    const places: Point[] = [{ x: p[0]!, y: p[1]! }];
    for (let i = 0; i < 50; i++) {
      const slope = surface.gradient(p[0]!, p[1]!);
      optimizer.grads.p.set([slope.x, slope.y]);
      optimizer.step();
      places.push({ x: p[0]!, y: p[1]! });
    }
    expect(race.lanes.rmsprop.path.slice(1)).toEqual(places.slice(1));
    const [vx, vy] = optimizer.state.p.squareAvg;
    expect(race.rmsprop.steepness).toEqual({ x: Math.sqrt(vx!), y: Math.sqrt(vy!) });
    const { lr, eps } = optimizer.groups[0];
    expect(race.rmsprop.effectiveLr.x).toBeCloseTo((lr as number) / Math.sqrt(vx! + eps), 5);
    expect(race.rmsprop.effectiveLr.y).toBeCloseTo((lr as number) / Math.sqrt(vy! + eps), 5);
  });

  it("takes new settings from the next step on, and goes on from where it is", () => {
    const surface = surfaces.bowl;
    const race = run(raceFrom(surface), 50);
    const before = race.rmsprop.effectiveLr;
    const { rmsprop } = settingsFor(surface);
    race.apply({ rmsprop: { ...rmsprop, lr: 10 * rmsprop.lr! }, descentLr: 0 });
    race.advance();
    expect(race.steps).toBe(51);
    expect(race.rmsprop.effectiveLr.y / before.y).toBeGreaterThan(5);
    expect(race.lanes.descent.path.at(-1)).toEqual(race.lanes.descent.path.at(-2));
  });

  test.each(Object.entries(dialects))("goes over to %s in the middle, and back", (_, dialect) => {
    const surface = surfaces.ravine;
    const race = run(raceFrom(surface), 20);
    const first = settingsFor(surface);
    race.apply({ ...first, rmsprop: { ...dialect, lr: 0.01 } });
    run(race, 20);
    race.apply(first);
    run(race, 20);
    expect(race.steps).toBe(60);
    expect(Number.isFinite(race.lanes.rmsprop.distance)).toBe(true);
  });

  it("takes whom it can't follow any more out of the race", () => {
    const race = run(
      raceFrom(surfaces.bowl, { x: 1, y: 1 }, { ...settingsFor(surfaces.bowl), descentLr: 3 }),
      200,
    );
    expect(race.lanes.descent.outAfter).toBe(race.lanes.descent.path.length);
    expect(race.lanes.descent.path.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
    expect(race.lanes.rmsprop.outAfter).toBeUndefined();
  });
});

describe("Adam", () => {
  it("moves by its learning rate in its first step, whatever the gradient", () => {
    const surface = surfaces.bowl;
    const { lanes } = run(raceFrom(surface), 1);
    const [from, to] = lanes.adam.path as [Point, Point];
    expect(Math.abs(to.x - from.x)).toBeCloseTo(surface.lr, 6);
    expect(Math.abs(to.y - from.y)).toBeCloseTo(surface.lr, 6);
  });
});
