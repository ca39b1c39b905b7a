/**
 * Every public call, made to fail in each way there is: it must throw the package's own error and leave everything as it was,
 * the whole memory bit by bit, its length and the views on it. The run then goes on as if the call had never been made.
 */
import type { Options, Params } from "rmsprop-wasm";
import { save, saveChunks } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { ENTRIES } from "../support/entries.ts";
import { ALWAYS, anyOf, type Call, expectToFail, type Optimizer, thrower } from "./failing-calls.ts";

type Make = (typeof ENTRIES)[number]["make"];

const w = { shape: [2, 3], values: [1, -2, 3, 0.5, 0.25, -1] };
const params = (): Params => [{ params: { w, b: [5] }, alpha: 0.9 }, { params: { e: [7, 3] } }];

/** An optimizer in a given memory that it fills, so that whatever needs room makes it grow. */
function makeOne(make: Make, options: Options, isGiven = true) {
  const memory = isGiven ? { memory: new WebAssembly.Memory({ initial: 1, maximum: 99 }) } : {};
  return make(params(), { ...memory, ...options }) as unknown as Optimizer;
}

function write({ grads }: Optimizer, step: number) {
  for (const grad of Object.values(grads))
    grad.set(grad.map((_, i) => Math.fround(((i * 7 + step * 3) % 5) - 2.5)));
}

/** Takes a step, by rows of the second group's table if some are given. */
function stepOn(optimizer: Optimizer, e: number[] | undefined) {
  if (!e) {
    optimizer.step();
    return;
  }
  optimizer.catchUp({ e });
  optimizer.step({ rows: { e } });
}

/** Its past: two steps, the second one by rows where it may be. */
function train(optimizer: Optimizer, { rows = false } = {}) {
  write(optimizer, 0);
  optimizer.step();
  write(optimizer, 1);
  stepOn(optimizer, rows ? [1, 4] : undefined);
  write(optimizer, 2);
}

interface Setting {
  readonly options?: Options;
  readonly rows?: boolean;
  /** Calls that fail in this setting. */
  readonly calls: Record<string, Call>;
  /** Brings the optimizer into the state in which they fail. */
  readonly before?: (optimizer: Optimizer) => void;
  readonly isGiven?: boolean;
  /** Brings it out of that state again. */
  readonly after?: (optimizer: Optimizer) => void;
}

const without = (calls: Record<string, Call>, ...patterns: RegExp[]) =>
  Object.fromEntries(
    Object.entries(calls).filter(([name]) => !patterns.some((pattern) => pattern.test(name))),
  );

const poison = (o: Optimizer) => {
  o.grads.w![1] = NaN;
};

const SETTINGS: Record<string, Setting> = {
  "in a memory of its own": { isGiven: false, options: { momentum: 0.9, centered: true }, calls: ALWAYS },
  "in a given memory": { calls: ALWAYS },
  "with rows behind": { rows: true, options: { momentum: 0.9 }, calls: ALWAYS },
  "with lazy rows": { rows: true, options: { sparse: "lazy" }, calls: ALWAYS },
  "with an average": {
    options: { ema: { decay: 0.9 } },
    calls: without(ALWAYS, /swapEma/, /plane too many/),
  },
  "with scheduleFree": {
    options: { scheduleFree: true, lr: 0.1 },
    calls: without(ALWAYS, /^eval|^train/, /^restoreLeRobot|too many/),
  },
  "while averages stand in": {
    options: { scheduleFree: true },
    before: (o) => o.eval(),
    after: (o) => o.train(),
    calls: {
      "step()": (o) => o.step(),
      "report()": (o) => o.report(),
      "catchUp()": (o) => o.catchUp(),
      "swapEma()": (o) => o.swapEma(),
      "stateDict()": (o) => o.stateDict(),
      "save()": (o) => save(o),
      "saveChunks()": (o) => [...saveChunks(o)],
    },
  },
  "while the average is swapped": {
    options: { ema: { decay: 0.9 } },
    before: (o) => o.swapEma(),
    after: (o) => o.swapEma(),
    calls: {
      "step()": (o) => o.step(),
      "step({ rows })": (o) => o.step({ rows: { e: [0] } }),
      "report()": (o) => o.report(),
      "catchUp()": (o) => o.catchUp(),
      "stateDict()": (o) => o.stateDict(),
      "save()": (o) => save(o),
      "eval()": (o) => o.eval(),
    },
  },
  "with a gradient that isn't finite": {
    options: { nonFinite: "throw", momentum: 0.9 },
    before: poison,
    after: (o) => write(o, 2),
    calls: {
      "step()": (o) => o.step(),
      "step({ rows })": (o) => o.step({ rows: { w: [0], e: [1] } }),
      "step({ zeroGrad })": (o) => o.step({ zeroGrad: true }),
      "step({ shard }) without its norm": (o) => o.step({ shard: { index: 0, count: 2 } }),
    },
  },
  "with a gradient that isn't finite, with rows behind": {
    rows: true,
    options: { nonFinite: "throw", momentum: 0.9 },
    before: (o) => {
      o.grads.e![4] = Infinity;
    },
    after: (o) => write(o, 2),
    calls: {
      "step({ rows })": (o) => o.step({ rows: { e: [1, 4] } }),
    },
  },
  "with a schedule that fails": {
    options: { momentum: 0.9 },
    before: (o) => {
      o.groups[0].lr = 0.5;
    },
    calls: Object.fromEntries(
      Object.entries({
        "gives NaN": () => NaN,
        "gives a text": () => anyOf("0.1"),
        "gives -1": (): number => -1,
        "steps its own optimizer": undefined,
        throws: thrower,
      }).flatMap(([title, schedule]): [string, Call][] =>
        (["step", "rows"] as const).map((way) => [
          `${way}, and it ${title}`,
          (o) => {
            const group = o.groups[1]!;
            const { lr } = group;
            group.lr = (schedule ?? (() => Number(o.step()))) as () => number;
            try {
              o.step(way === "rows" ? { rows: { e: [2] } } : {});
            } finally {
              group.lr = lr;
            }
          },
        ]),
      ),
    ),
  },
  "at the last step that is counted": {
    before: (o) => o.loadStateDict({ ...o.stateDict(), steps: 2 ** 31 - 1 }),
    after: (o) => o.loadStateDict({ ...o.stateDict(), steps: 2 }),
    calls: { "step()": (o) => o.step(), "step({ rows })": (o) => o.step({ rows: { e: [0] } }) },
  },
};

/** Everything that a caller can see, the views that were read before among it. */
function lookAt(optimizer: Optimizer) {
  const { memory, params, grads, state, ema, groups, steps, skippedSteps, gradNorm } = optimizer;
  const views = [params, grads, ema, ...Object.values(state)].flatMap((record) => Object.values(record));
  return {
    buffer: memory.buffer,
    bytes: Buffer.from(memory.buffer.slice(0)),
    views,
    lengths: views.map(({ length }) => length),
    numbers: {
      steps,
      skippedSteps,
      gradNorm,
      groups: groups.map((group) => ({ ...group })),
      text: String(optimizer),
    },
  };
}

describe.each(ENTRIES)("$entry", ({ make, type }) => {
  describe.each(Object.entries(SETTINGS))(
    "%s",
    (_, { options = {}, calls, before, after, isGiven, ...past }) => {
      it.each(Object.entries(calls))("nothing is changed by %s", async (title, call) => {
        const [optimizer, twin] = [makeOne(make, options, isGiven), makeOne(make, options, isGiven)];
        for (const one of [optimizer, twin]) {
          train(one, past);
          before?.(one);
        }
        const then = lookAt(optimizer);
        await expectToFail(title, () => call(optimizer, type));

        const now = lookAt(optimizer);
        expect(now.buffer).toBe(then.buffer);
        expect(now.bytes.equals(then.bytes)).toBe(true);
        expect(now.lengths).toEqual(then.lengths);
        now.views.forEach((view, i) => {
          expect(view).toBe(then.views[i]);
        });
        expect(now.numbers).toEqual(then.numbers);

        for (const one of [optimizer, twin]) {
          after?.(one);
          for (let step = 3; step < 6; step++) {
            write(one, step);
            stepOn(one, past.rows ? [step] : undefined);
          }
        }
        expect(optimizer.stateDict()).toEqual(twin.stateDict());
      });
    },
  );

  it("nothing is left of an optimizer that was disposed of", () => {
    const optimizer = makeOne(make, { ema: { decay: 0.5 } });
    optimizer.dispose();
    const names = ["params", "grads", "state", "ema"] as const;
    const reads = names.map((name) => () => Object.values(optimizer[name]));
    const others = [
      () => optimizer.steps,
      () => optimizer.lr,
      () => optimizer.memory,
      () => optimizer.backend,
      () => optimizer.threads,
      () => optimizer.step(),
      () => optimizer.catchUp(),
      () => optimizer.zeroGrad(),
      () => optimizer.report(),
      () => optimizer.swapEma(),
      () => optimizer.eval(),
      () => optimizer.train(),
      () => optimizer.stateDict(),
      () => optimizer.loadStateDict(anyOf({})),
      () => optimizer.shareRanges({ index: 0, count: 1 }),
      () => optimizer.handle,
      () => save(optimizer),
      () => {
        optimizer.lr = 1;
      },
      () => {
        optimizer.groups[0].lr = 1;
      },
    ];
    for (const read of [...reads, ...others]) {
      expect(read, String(read)).toThrow(expect.objectContaining({ name: "DisposedError" }));
    }
  });
});
