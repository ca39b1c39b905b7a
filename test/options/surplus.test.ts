/** An argument behind all that a function or method takes is an error that names the function, and changes nothing. */
import { type Optimizer, OptionError, RMSprop } from "rmsprop-wasm";
import * as checkpoint from "rmsprop-wasm/checkpoint";
import { instantiate } from "rmsprop-wasm/core";
import { expect, it, vi } from "vitest";
import { ENTRIES } from "../support/entries.ts";

// biome-ignore lint/suspicious/noExplicitAny: no type lets such arguments pass
type Bad = any;

const bytes = checkpoint.save(new RMSprop({ w: [2] }));
const leRobot = checkpoint.saveLeRobot(new RMSprop({ w: [2] }));
const memory = new WebAssembly.Memory({ initial: 1 });

/** The arguments of each function of an entry. A new one has no arguments here, and fails. */
const CHECKPOINT: Record<keyof typeof checkpoint, (optimizer: Bad) => unknown[]> = {
  save: (optimizer) => [optimizer],
  saveChunks: (optimizer) => [optimizer],
  load: () => [bytes, {}, RMSprop],
  loadChunks: () => [[bytes], {}, RMSprop],
  restore: (optimizer) => [optimizer, bytes],
  carriedTensors: (optimizer) => [optimizer],
  saveLeRobot: (optimizer) => [optimizer],
  restoreLeRobot: (optimizer) => [optimizer, leRobot],
  writeFileAtomic: () => ["/nowhere/run.safetensors", bytes],
};
const FUNCTIONS = { ...checkpoint };

it.each(Object.keys(FUNCTIONS) as (keyof typeof checkpoint)[])(
  "%s of rmsprop-wasm/checkpoint",
  async (name) => {
    const optimizer = new RMSprop({ w: new Float32Array([1, 2]) });
    const call: Bad = FUNCTIONS[name];
    const calling = async () => {
      const result = await call(...CHECKPOINT[name](optimizer), 0.5);
      return name === "saveChunks" ? [...result] : result;
    };
    await expect(calling()).rejects.toThrow(OptionError);
    await expect(calling()).rejects.toThrow(`${name}: got 0.5, one argument too many: `);
    expect([...optimizer.params.w]).toEqual([1, 2]);
  },
);

it("save and the like can be given to map, which gives an index and the list too", () => {
  const optimizers = [new RMSprop({ w: [2] }), new RMSprop({ w: [3] })];
  const { save, saveLeRobot, carriedTensors, saveChunks } = checkpoint;
  expect(optimizers.map(save)).toEqual(optimizers.map((optimizer) => save(optimizer)));
  expect(optimizers.map(saveLeRobot)).toHaveLength(2);
  expect(optimizers.map(carriedTensors)).toHaveLength(2);
  expect(optimizers.map(saveChunks).map((chunks) => [...chunks].length)).toEqual([4, 4]);
  const shards = [0, 1].map((index) => ({ index, count: 2 }));
  expect(shards.map(optimizers[0]!.shareRanges)).toHaveLength(2);
});

const TENSOR = { param: 1024, grad: 2048, squareAvg: 4096, count: 4 };
const CORE = {
  update: [TENSOR, {}],
  updateRows: [{ ...TENSOR, width: 2 }, { ptr: 8192, count: 1 }, {}],
  catchUpRows: [{ ...TENSOR, width: 2, rowSteps: 8200 }, { ptr: 8192, count: 1 }, {}],
  sumOfSquares: [TENSOR],
};

it.each(Object.keys(instantiate(memory)) as (keyof typeof CORE)[])("%s of rmsprop-wasm/core", (name) => {
  const heap = new Float32Array(memory.buffer, 1024, 1024).fill(1);
  const call: Bad = instantiate(memory)[name];
  expect(() => call(...CORE[name], 0.5)).toThrow(`${name}: got 0.5, one argument too many: leave it out.`);
  expect(heap.every((value) => value === 1)).toBe(true);
  expect(() => (instantiate as Bad)(memory, {})).toThrow("instantiate: got { }, one argument too many");
});

/** `dispose` may be the listener of an event, and test frameworks call `toJSON` in ways of their own. */
const TAKE_ALL: readonly PropertyKey[] = ["constructor", "dispose", "toJSON"];
const TAKE_ONE: readonly PropertyKey[] = ["step", "catchUp", "shareRanges", "loadStateDict"];

const methodsOf = (optimizer: object) => {
  const own = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(Object.getPrototypeOf(optimizer)));
  return Object.keys(own).filter((name) => "value" in own[name]! && !TAKE_ALL.includes(name));
};

it.each(ENTRIES)("the methods, the constructor and attach of $entry", ({ make, type }) => {
  const optimizer: Bad = make({ w: new Float32Array([1, 2]) }, { ema: { decay: 0.9 } });
  const methods = methodsOf(optimizer);
  expect(methods.length).toBeGreaterThan(8);
  expect(methods).toEqual(expect.arrayContaining([...TAKE_ONE, "zeroGrad", "stateDict", "eval", "report"]));
  for (const name of methods) {
    const given = TAKE_ONE.includes(name) ? [undefined, 0.5] : [0.5];
    expect(() => optimizer[name](...given), name).toThrow(OptionError);
    expect(() => optimizer[name](...given), name).toThrow(
      `${name}: got 0.5, one argument too many: leave it out.`,
    );
  }
  expect([optimizer.steps, ...optimizer.params.w]).toEqual([0, 1, 2]);
  expect(() => new (type as Bad)({ w: [2] }, {}, 0.9)).toThrow(
    "RMSprop: got 0.9, one argument too many: options go into one object, as { lr: 1e-3 }.",
  );
  expect(() => (type as Bad).attach({}, {}, 0.9)).toThrow("attach: got 0.9, one argument too many");
  // As a listener of an event; and consoles give arguments to the method by which they print.
  optimizer[Symbol.for("nodejs.util.inspect.custom")](2, {}, () => "");
  optimizer[Symbol.dispose](new Event("pagehide"));
  optimizer.dispose(new Event("pagehide"));
  expect(String(optimizer)).toBe("RMSprop (disposed of)");
});

it("methods of subclasses and spies get all of their arguments", () => {
  class Noting extends RMSprop<{ w: [1] }> {
    notes: unknown[] = [];
    override step(options?: Parameters<Optimizer<{ w: [1] }>["step"]>[0], ...notes: unknown[]): boolean {
      this.notes.push(...notes);
      return super.step(options);
    }
  }
  const optimizer = new Noting({ w: [1] });
  const { step } = optimizer;
  step({}, "first", "second");
  expect(optimizer.notes).toEqual(["first", "second"]);
  const spied = vi.spyOn(RMSprop.prototype, "zeroGrad");
  const other: Bad = new RMSprop({ w: [1] });
  other.zeroGrad("as it is");
  expect(spied).toHaveBeenCalledExactlyOnceWith("as it is");
  spied.mockRestore();
});
