/** `scheduleFree`: averages in the place of a schedule, on every backend, and all that a run with it must survive. */
import { type Options, RMSprop, type StateDict } from "rmsprop-wasm";
import { load, restore, save, saveLeRobot } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { bits, seeded } from "../support/kernels.ts";
import { exactly, snapshot, train } from "../support/runs.ts";

const params = () => [
  { params: { "layer.weight": [3, 7], bias: [5] }, eps: 1e-3 },
  { params: { scale: Float32Array.of(1, -2, 3) }, alpha: 0.8, lr: 0.02 },
];

const OPTIONS: Record<string, Options> = {
  defaults: { scheduleFree: true },
  "all of its settings": { scheduleFree: { beta: 0.5, warmupSteps: 7, r: 1.5, weightLrPower: 1 } },
  "momentum inside": { scheduleFree: true, momentum: 0.7, nesterov: true },
  "decoupled decay, centered": {
    scheduleFree: true,
    weightDecay: 0.1,
    decoupledWeightDecay: true,
    centered: true,
  },
  "coupled decay, clipping, bias correction": {
    scheduleFree: true,
    weightDecay: 0.1,
    clipValue: 0.7,
    clipNorm: 2,
    biasCorrection: true,
  },
  "a schedule of lr": { scheduleFree: true, lr: (step) => 0.01 / (step + 1) },
};
const named = Object.entries(OPTIONS);

describe.each(ALL_ENTRIES)("$entry", ({ backend, make: makeOf, type }) => {
  const make = (options: Options) => {
    const optimizer = makeOf(params(), options);
    expect(optimizer.backend).toBe(backend);
    return optimizer;
  };

  it("gives the figures of the formula, which are exact here", () => {
    const optimizer = makeOf({ w: [1] }, { scheduleFree: { beta: 0.5 }, lr: 1, alpha: 0.75, eps: 1 });
    const step = (grad: number) => {
      optimizer.grads.w[0] = grad;
      optimizer.step();
    };
    // v = 0.25·2², u = 2/(1 + 1); c = 1: y = z = −1
    step(2);
    expect([optimizer.params.w[0], optimizer.state.w.z![0]]).toEqual([-1, -1]);
    // v = 0.75 + 0.25·13 = 4, u = sqrt(13)/3; c = ½: z = −1 − u, y = −1 − (1 − ½·½)·u
    step(Math.sqrt(13));
    const u = Math.sqrt(13) / 3;
    expect(optimizer.state.w.z![0]).toBeCloseTo(-1 - u, 6);
    expect(optimizer.params.w[0]).toBeCloseTo(-1 - 0.75 * u, 6);
    // x = (x + z)/2 of the points −1 and −1 − u
    optimizer.eval();
    expect(optimizer.params.w[0]).toBeCloseTo(-1 - u / 2, 6);
    optimizer.train();
    expect(optimizer.params.w[0]).toBeCloseTo(-1 - 0.75 * u, 6);
  });

  it("averages the points z with equal weights at a constant rate", () => {
    const optimizer = makeOf({ w: [40] }, { scheduleFree: true });
    const next = seeded(1);
    const sum = new Float64Array(40);
    const start = Float32Array.from({ length: 40 }, () => next() / 2 ** 31 - 1);
    optimizer.params.w.set(start); // after it was made, as many do
    for (let step = 0; step < 100; step++) {
      for (let i = 0; i < 40; i++) optimizer.grads.w[i] = optimizer.params.w[i]! + next() / 2 ** 31 - 1;
      optimizer.step();
      if (step === 0) {
        expect(optimizer.state.w.z).toEqual(optimizer.params.w);
        expect(optimizer.state.w.z).not.toEqual(start);
      }
      optimizer.state.w.z!.forEach((z, i) => {
        sum[i]! += z;
      });
    }
    optimizer.eval();
    optimizer.params.w.forEach((x, i) => {
      expect(x).toBeCloseTo(sum[i]! / 100, 5);
    });
  });

  it.each(named)("a run that evaluates is the run that doesn't, with %s", (_, options) => {
    const [evaluated, other] = [make(options), make(options)];
    evaluated.eval();
    evaluated.train();
    for (let step = 0; step < 130; step += 13) {
      train(evaluated, step, step + 13);
      evaluated.eval();
      const x = evaluated.params.scale.slice();
      evaluated.eval();
      expect(evaluated.params.scale).toEqual(x);
      evaluated.params.bias.fill(NaN);
      evaluated.train();
      evaluated.train();
      train(other, step, step + 13);
      expect(snapshot(evaluated)).toEqual(snapshot(other));
      if (step > 0) expect(x).not.toEqual(evaluated.params.scale);
    }
  });

  it.each(named)(
    "goes on from a state dict, a file and LeRobot's files to the bit, with %s",
    (_, options) => {
      const whole = make(options);
      train(whole, 0, 70);
      const dict = whole.stateDict();
      const file = save(whole);
      train(whole, 70, 140);

      const fromDict = make(options);
      fromDict.loadStateDict(structuredClone(dict));
      const restored = make(options);
      train(restored, 0, 3);
      restore(restored, file);
      const loaded = load(file, typeof options.lr === "function" ? { lr: options.lr } : {}, type);
      for (const optimizer of [fromDict, restored]) {
        train(optimizer, 70, 140);
        expect(snapshot(optimizer)).toEqual(snapshot(whole));
      }
      train(loaded, 70, 140);
      expect(bits(loaded.params.bias!)).toEqual(bits(whole.params.bias));
      expect(bits(loaded.state.bias!.z!)).toEqual(bits(whole.state.bias.z!));
      expect(loaded.stateDict().groups[0]!.weightSum).toBe(whole.stateDict().groups[0]!.weightSum);
    },
  );

  it("gives the bits of a whole step by shares, also where each is another thread's optimizer", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 100, shared: true });
    const options = { scheduleFree: { r: 1, warmupSteps: 5 }, weightDecay: 0.1 };
    // Each group has sums of its own in the shared memory, which differ by the rate.
    const groups = (): [{ params: { w: [100] } }, { params: { b: [40] }; lr: number }] => [
      { params: { w: [100] } },
      { params: { b: [40] }, lr: 0.1 },
    ];
    const shared = makeOf(groups(), { ...options, memory });
    const attached = type.attach(structuredCloneOf(shared.handle));
    const whole = makeOf(groups(), options);
    for (let step = 0; step < 40; step++) {
      const next = seeded(step);
      for (const name of ["w", "b"] as const) {
        whole.params[name].forEach((param, i) => {
          const grad = param * 0.1 + next() / 2 ** 31 - 1;
          whole.grads[name][i] = grad;
          shared.grads[name][i] = grad;
        });
      }
      whole.step();
      // The most shares there may be: sums that lay on the counts of shares would show.
      const count = step === 20 ? 1024 : 3;
      const turns = Array.from({ length: count }, (_, index) => ({
        optimizer: index % 2 ? attached : shared,
        index,
      }));
      if (step % 7 === 0) {
        attached.step();
      } else {
        for (const { optimizer, index } of step % 2 ? turns : turns.reverse()) {
          optimizer.step({ shard: { index, count } });
        }
      }
      for (const name of ["w", "b"] as const) {
        expect(bits(shared.params[name])).toEqual(bits(whole.params[name]));
        expect(bits(attached.state[name]?.z as Float32Array)).toEqual(bits(whole.state[name].z!));
      }
    }
    expect(attached.stateDict().groups).toEqual(whole.stateDict().groups);
    attached.eval();
    expect(() => shared.step()).toThrow(/train\(\)/);
    expect(() => shared.train()).toThrow(/Another optimizer.*call train\(\)/);
    attached.train();
    shared.step();
  });

  it("takes a step that was skipped as if it hadn't been", () => {
    const [skipping, other] = [
      make({ scheduleFree: true, nonFinite: "skip" }),
      make({ scheduleFree: true, nonFinite: "skip" }),
    ];
    train(skipping, 0, 10);
    skipping.grads.bias.fill(NaN);
    expect(skipping.step()).toBe(false);
    train(skipping, 10, 20);
    train(other, 0, 20);
    expect(exactly({ ...skipping.stateDict(), skippedSteps: 0 })).toEqual(snapshot(other));
  });

  it("stands still at a rate of 0, and then weighs nothing", () => {
    const optimizer = makeOf(
      { w: Float32Array.of(3) },
      { scheduleFree: true, lr: (step) => (step < 3 ? 0 : 0.5) },
    );
    for (let step = 0; step < 4; step++) {
      optimizer.grads.w.fill(1);
      optimizer.step();
      if (step < 3) expect(optimizer.params.w[0]).toBe(3);
    }
    expect(optimizer.params.w[0]).toBe(optimizer.state.w.z![0]);
    expect(optimizer.params.w[0]).toBeLessThan(3);
  });

  it("reports the rate of its warm-up", () => {
    const options = { lr: 1, alpha: 0, eps: 1 };
    const warm = makeOf({ w: [8] }, { ...options, scheduleFree: { warmupSteps: 4 } });
    warm.grads.w.fill(1);
    warm.step();
    expect(warm.report().w).toMatchObject({ updateRms: 0.125, medianLr: 0.125, nonFinite: 0 });
  });

  it("keeps z beside the state, and nothing where the option is off", () => {
    expect(Object.keys(make({ scheduleFree: true }).state.bias)).toEqual(["squareAvg", "z"]);
    expect(Object.keys(make({ scheduleFree: false }).state.bias)).toEqual(["squareAvg"]);
    expect(make({}).stateDict().groups[0]).not.toHaveProperty("weightSum");
  });

  describe("refuses", () => {
    it.each([
      [{ scheduleFree: true, ema: { decay: 0.9 } }, /both average the parameters.*leave out ema/],
      [{ scheduleFree: 0.9 }, /scheduleFree: got 0.9, expected true, or an object/],
      [{ scheduleFree: { beta: 0 } }, /beta: got 0, expected a number above 0/],
      [{ scheduleFree: { beta: 1.5 } }, /beta: got 1.5/],
      [{ scheduleFree: { warmupSteps: 0.5 } }, /warmupSteps: got 0.5, expected a whole number/],
      [{ scheduleFree: { r: 0.3 } }, /r: got 0.3, expected a number from 0 to 100, a multiple of 0.5/],
      [{ scheduleFree: { weightLrPower: -1 } }, /weightLrPower: got -1/],
      [{ scheduleFree: { r: 100.5 } }, /r: got 100.5/],
      [{ scheduleFree: { r: "1" as never } }, /r: got "1"/],
      [{ scheduleFree: { warmupSteps: -1 } }, /warmupSteps: got -1/],
      [{ scheduleFree: { betas: 0.9 } }, /did you mean "beta"/],
    ])("%o", (options, message) => {
      expect(() => makeOf({ w: [1] }, options as Options)).toThrow(
        expect.objectContaining({ name: "OptionError", message: expect.stringMatching(message) }),
      );
    });

    it("eval() and train() without the option, and swapEma() with it", () => {
      for (const method of ["eval", "train"] as const) {
        expect(() => make({})[method]()).toThrow(`${method}() is for the averages of scheduleFree`);
        expect(() => make({ ema: { decay: 0.9 } })[method]()).toThrow(/or call swapEma\(\)/);
      }
      expect(() => make({ scheduleFree: true }).swapEma()).toThrow(/call eval\(\) and train\(\)/);
    });

    it("itself in a group: it is for all of them", () => {
      const groups = [{ params: { w: [1] }, scheduleFree: true }];
      expect(() => makeOf(groups as never, {})).toThrow('Unknown option "scheduleFree"');
    });

    it("steps by rows, which leave most elements where they are", () => {
      const message = /scheduleFree moves all of them/;
      const optimizer = makeOf({ w: [4, 2] }, { scheduleFree: true });
      expect(() => optimizer.step({ rows: { w: [1] } })).toThrow(message);
      expect(() => makeOf({ w: [4, 2] }, { scheduleFree: true, sparse: "lazy" })).toThrow(message);
      expect(() => {
        optimizer.groups[0].sparse = "exact";
      }).toThrow(message);
      expect(optimizer.steps).toBe(0);
    });

    it("steps, reports, state dicts and files while the averages stand in, and changes nothing", () => {
      const optimizer = make({ scheduleFree: true });
      train(optimizer, 0, 3);
      const before = snapshot(optimizer);
      const dict = optimizer.stateDict();
      const file = save(optimizer);
      optimizer.eval();
      for (const refused of [
        () => optimizer.step(),
        () => optimizer.report(),
        () => optimizer.stateDict(),
        () => save(optimizer),
        () => optimizer.loadStateDict(dict),
        () => restore(optimizer, file),
      ]) {
        expect(refused).toThrow(expect.objectContaining({ name: "SwappedError" }));
      }
      optimizer.train();
      expect(snapshot(optimizer)).toEqual(before);
    });

    it("a state without z, one with z where nothing averages, and sums that are none", () => {
      const [free, plain] = [make({ scheduleFree: true }), make({})];
      for (const optimizer of [free, plain]) train(optimizer, 0, 3);
      const [before, dict] = [snapshot(free), free.stateDict()];
      expect(() => free.loadStateDict(plain.stateDict())).toThrow(
        /weightSum of the state: got undefined, expected/,
      );
      const groups = dict.groups;
      const withoutZ = { ...plain.stateDict(), groups };
      expect(() => free.loadStateDict(withoutZ)).toThrow(/z.length of the state: got undefined, expected 21/);
      expect(() => plain.loadStateDict(dict)).toThrow(/weightSum of the state: got .*, expected none/);
      for (const weightSum of [-1, NaN, Infinity, "1"] as number[]) {
        const broken: StateDict = { ...dict, groups: dict.groups.map((group) => ({ ...group, weightSum })) };
        expect(() => free.loadStateDict(broken)).toThrow(/weightSum of the state: got/);
      }
      expect(() => restore(free, save(plain))).toThrow(/z.* is missing in the file/);
      expect(() => restore(plain, save(free))).toThrow(/z.*keeps nothing of this name/);
      expect(snapshot(free)).toEqual(before);
    });
  });
});

it("is refused by LeRobot's files, whose RMSprop would go on from y as if it were the parameter", () => {
  const optimizer = new RMSprop({ w: [2] }, { scheduleFree: true });
  optimizer.step();
  expect(() => saveLeRobot(optimizer)).toThrow(/PyTorch's RMSprop, which LeRobot uses, has no scheduleFree/);
});

/** A handle as a thread gets it; Node clones no shared memory within a thread. */
function structuredCloneOf<T extends { memory: WebAssembly.Memory }>({ memory, ...rest }: T): T {
  return { ...structuredClone(rest), memory } as unknown as T;
}
