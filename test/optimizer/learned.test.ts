/** `lr: "auto"`: a rate that finds itself, on every backend, and all that a run with it must survive. */
import { type Options, RMSprop, type StateDict } from "rmsprop-wasm";
import { load, restore, save, saveLeRobot } from "rmsprop-wasm/checkpoint";
import { RMSprop as F64RMSprop } from "rmsprop-wasm/f64";
import { RMSprop as JsRMSprop } from "rmsprop-wasm/js";
import { describe, expect, it } from "vitest";
import { bits, seeded } from "../support/kernels.ts";
import { snapshot } from "../support/runs.ts";

/** Gradients of a bowl that is steeper in some directions, with some noise. */
function descend(
  optimizer: Pick<RMSprop<{ w: [150]; b: [5] }>, "params" | "grads" | "step">,
  from: number,
  to: number,
) {
  for (let step = from; step < to; step++) {
    const next = seeded(step);
    for (const name of ["w", "b"] as const) {
      optimizer.params[name].forEach((value, i) => {
        optimizer.grads[name][i] = (value - i / 40 - 1) * (1 + (i % 5)) + (next() / 2 ** 32 - 0.5) / 10;
      });
    }
    optimizer.step();
  }
}

const OPTIONS: Record<string, Options> = {
  defaults: {},
  "bias correction": { biasCorrection: true },
  "momentum outside": { momentum: 0.9, nesterov: true },
  "momentum inside, centered": { momentum: 0.5, lrInMomentum: true, centered: true },
  scheduleFree: { scheduleFree: { beta: 0.8, r: 1 }, biasCorrection: true },
  "scheduleFree with decay and clipping": {
    scheduleFree: true,
    weightDecay: 0.01,
    decoupledWeightDecay: true,
    clipNorm: 20,
    clipValue: 3,
  },
  "coupled decay, global clipping, an average": {
    weightDecay: 0.01,
    globalClipNorm: 50,
    ema: { decay: 0.9 },
  },
};
const named = Object.entries(OPTIONS);
const auto = (options: Options): Options => ({ ...options, lr: "auto" });
const shapes = (): { w: [150]; b: [5] } => ({ w: [150], b: [5] });

describe.each([
  ["wasm", RMSprop],
  ["js", JsRMSprop],
] as const)("backend %s", (backend, Class) => {
  const make = (options: Options) => {
    const optimizer = new Class(shapes(), auto(options));
    expect(optimizer.backend).toBe(backend);
    return optimizer;
  };

  it.each(named)("comes near the bottom with no rate given, with %s", (_, options) => {
    const optimizer = make(options);
    descend(optimizer, 0, 400);
    if (options.scheduleFree) optimizer.eval();
    const off = [...optimizer.params.w].map((value, i) => Math.abs(value - i / 40 - 1));
    expect(Math.max(...off)).toBeLessThan(0.35);
    expect(optimizer.learnedLr).toBeGreaterThan(1e-4);
    expect(optimizer.learnedLr).toBe(optimizer.lr);
  });

  it.each(named)("goes on from a state dict and a file to the bit, with %s", (_, options) => {
    const whole = make(options);
    descend(whole, 0, 70);
    const [dict, file] = [whole.stateDict(), save(whole)];
    descend(whole, 70, 140);
    const fromDict = make(options);
    fromDict.loadStateDict(structuredClone(dict));
    const restored = make(options);
    descend(restored, 0, 3);
    restore(restored, file);
    const loaded = load<"w" | "b">(file);
    for (const optimizer of [fromDict, restored]) {
      descend(optimizer, 70, 140);
      expect(snapshot(optimizer)).toEqual(snapshot(whole));
    }
    descend(loaded as never, 70, 140);
    expect(bits(loaded.params.w)).toEqual(bits(whole.params.w));
    expect(loaded.learnedLr).toBe(whole.learnedLr);
  });

  it("a group's lr is a factor, which may be a schedule", () => {
    const groups = () => [
      { params: { w: [150] } },
      { params: { b: [5] }, lr: (step: number) => 1 / (1 + step) },
    ];
    const optimizer = new Class(groups() as never, auto({}));
    expect(optimizer.groups.map(({ lr }) => lr)).toEqual([1, 1]);
    descend(optimizer as never, 0, 30);
    expect(optimizer.groups.map(({ lr }) => lr)).toEqual([1, 1 / 31]);
    optimizer.groups[0].lr = 0;
    const { moved } = (optimizer as never as RMSprop<{ w: [150] }>).state.w;
    const [way, rate] = [moved!.slice(), optimizer.learnedLr!];
    descend(optimizer as never, 30, 31);
    // No update, but the way so far is at the new rate's scale.
    const scale = optimizer.learnedLr! / rate;
    moved!.forEach((value, i) => {
      expect(value).toBeCloseTo(scale * way[i]!, 5);
    });
  });

  it("begins where the parameters are at the first step, and counts a skipped step as none", () => {
    const [skipping, other] = [make({ nonFinite: "skip" }), make({ nonFinite: "skip" })];
    for (const optimizer of [skipping, other]) optimizer.params.b.fill(7);
    descend(skipping, 0, 10);
    skipping.state.b.moved!.forEach((way, i) => {
      expect(way).toBeCloseTo(skipping.params.b[i]! - 7, 5);
    });
    skipping.grads.w.fill(NaN);
    expect(skipping.step()).toBe(false);
    descend(skipping, 10, 20);
    descend(other, 0, 20);
    expect(skipping.learnedLr).toBe(other.learnedLr);
    expect(bits(skipping.params.w)).toEqual(bits(other.params.w));
  });

  it("learns nothing from what isn't finite", () => {
    const optimizer = make({});
    descend(optimizer, 0, 10);
    const { learnedLr } = optimizer;
    optimizer.grads.b.fill(NaN);
    optimizer.step();
    expect(optimizer.learnedLr).toBe(learnedLr);
    expect([...optimizer.params.w].every(Number.isFinite)).toBe(true);
  });

  it("reports the learned rate's updates", () => {
    const optimizer = make({ alpha: 0, eps: 1 });
    descend(optimizer, 0, 50);
    optimizer.grads.w.fill(1);
    optimizer.step();
    // v is 1, so u is the rate's half.
    expect(optimizer.report().w.medianLr).toBeCloseTo(optimizer.learnedLr! / 2, 6);
  });

  it("is shared with optimizers on other threads, whichever takes the step", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 100, shared: true });
    const shared = new Class(shapes(), { lr: "auto", scheduleFree: true, memory });
    const attached = Class.attach(shared.handle) as unknown as typeof shared;
    const whole = make({ scheduleFree: true });
    for (let step = 0; step < 40; step++) {
      descend(whole, step, step + 1);
      descend(step % 3 ? shared : attached, step, step + 1);
    }
    expect(bits(shared.params.w)).toEqual(bits(whole.params.w));
    expect(attached.learnedLr).toBe(whole.learnedLr);
  });

  describe("refuses", () => {
    it.each<[string, (optimizer: RMSprop<{ w: [150]; b: [5] }>) => unknown, RegExp]>([
      ["a rate for all", (o) => Object.assign(o, { lr: 0.1 }), /it is "auto".*groups\[i\]\.lr/],
      ["a share", (o) => o.step({ shard: { index: 0, count: 2 } }), /all shares: take whole steps/],
      ["rows", (o) => o.step({ rows: { w: [1] } }), /lr: "auto"/],
      [
        "auto in a group",
        (o) => Object.assign(o.groups[0], { lr: "auto" }),
        /"auto" in the constructor's options/,
      ],
      ["LeRobot's files", (o) => saveLeRobot(o), /has no lr: "auto"/],
    ])("%s, and changes nothing", (_, act, message) => {
      const optimizer = make({}) as RMSprop<{ w: [150]; b: [5] }>;
      descend(optimizer, 0, 5);
      const before = snapshot(optimizer);
      expect(() => act(optimizer)).toThrow(message);
      expect(snapshot(optimizer)).toEqual(before);
    });

    it("auto in a group of the constructor, and rows' option", () => {
      expect(() => new Class([{ params: { w: [1] }, lr: "auto" as never }])).toThrow(
        /"auto" in the constructor's options/,
      );
      expect(() => new Class({ w: [4, 2] }, { lr: "auto", sparse: "lazy" })).toThrow(/lr: "auto"/);
      expect(new Class({ w: [1] }).learnedLr).toBe(undefined);
    });

    it("states without moved or its numbers, with them where nothing is learned, and numbers that are none", () => {
      const [learning, plain] = [make({}), new Class(shapes())];
      for (const optimizer of [learning, plain]) descend(optimizer, 0, 3);
      const [before, dict] = [snapshot(learning), learning.stateDict()];
      expect(() => learning.loadStateDict(plain.stateDict())).toThrow(
        /learned of the state: got undefined, expected 6/,
      );
      expect(() => learning.loadStateDict({ ...plain.stateDict(), learned: dict.learned })).toThrow(
        /moved\.length/,
      );
      expect(() => plain.loadStateDict(dict)).toThrow(/expected none/);
      for (const s of [[1], [1, 2, 3, 4, 5, NaN], "123456", null] as unknown as number[][]) {
        const broken: StateDict = { ...dict, learned: { ...dict.learned!, s } };
        expect(() => learning.loadStateDict(broken)).toThrow(/learned of the state/);
      }
      for (const name of ["m", "v", "s"] as const) {
        const broken: StateDict = { ...dict, learned: { ...dict.learned!, [name]: [1, 1, 1, 1, 1, -1] } };
        expect(() => learning.loadStateDict(broken)).toThrow(/learned of the state/);
      }
      expect(() => restore(learning, save(plain))).toThrow(/moved.* is missing in the file/);
      expect(() => restore(plain, save(learning))).toThrow(/moved.*keeps nothing of this name/);
      expect(snapshot(learning)).toEqual(before);
    });
  });
});

it.each(named)("gives both backends the same bits, with %s", (_, options) => {
  const [wasm, js] = [new RMSprop(shapes(), auto(options)), new JsRMSprop(shapes(), auto(options))];
  for (const optimizer of [wasm, js]) descend(optimizer, 0, 130);
  expect(snapshot(wasm)).toEqual(snapshot(js));
});

it("does so in float64", () => {
  const options = auto({ scheduleFree: true, clipValue: 3 });
  const [wasm, js] = (["wasm", "js"] as const).map(
    (backend) => new F64RMSprop(shapes(), { ...options, backend }),
  ) as [F64RMSprop<{ w: [150]; b: [5] }>, F64RMSprop<{ w: [150]; b: [5] }>];
  for (const optimizer of [wasm, js]) descend(optimizer as never, 0, 130);
  expect(bits(wasm.params.w)).toEqual(bits(js.params.w));
  expect(wasm.learnedLr).toBe(js.learnedLr);
});

it("with threads gives the bits of one thread, once the workers share the work", async () => {
  const count = 400_003;
  const options: Options = { lr: "auto", scheduleFree: true };
  using threaded = new RMSprop({ w: [count] }, { ...options, threads: 3 });
  using alone = new RMSprop({ w: [count] }, options);
  await threaded.ready;
  expect(threaded.threads).toBe(3);
  for (let step = 0; step < 8; step++) {
    const next = seeded(step);
    for (let i = 0; i < count; i++) {
      const grad = alone.params.w[i]! - 1 + next() / 2 ** 32;
      threaded.grads.w[i] = grad;
      alone.grads.w[i] = grad;
    }
    threaded.step();
    alone.step();
  }
  expect(threaded.learnedLr).toBe(alone.learnedLr);
  expect(bits(threaded.params.w)).toEqual(bits(alone.params.w));
  expect(bits(threaded.state.w.z!)).toEqual(bits(alone.state.w.z!));
});

it("keeps moved beside the state", () => {
  expect(Object.keys(new RMSprop({ w: [1] }, { lr: "auto" }).state.w)).toEqual(["squareAvg", "moved"]);
});
