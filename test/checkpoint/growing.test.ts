/** State that comes from the very memory which grows for it, or which is refused: all of it arrives, or nothing changes. */
import { CheckpointError, MemoryError, type Options, RMSprop } from "rmsprop-wasm";
import { load, restore, restoreLeRobot, save, saveLeRobot } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { expectSame, snapshot, train } from "../support/runs.ts";
import { split } from "../support/tensor-files.ts";

const SHAPES = { w: [200, 70], b: [33] };
const MORE = { momentum: 0.9, centered: true };

const filled = (options: Options) => {
  const optimizer = new RMSprop(SHAPES, options);
  train(optimizer, 0, 3);
  return optimizer;
};

/** Memories with room for a file at their end, each with the options of an optimizer in it. */
const memories: Record<string, () => Options & { memory: WebAssembly.Memory }> = {
  "a memory": () => ({ memory: new WebAssembly.Memory({ initial: 6 }) }),
  "a shared memory": () => ({ memory: new WebAssembly.Memory({ initial: 6, maximum: 99, shared: true }) }),
  "a memory with an allocator that grows it": () => {
    const memory = new WebAssembly.Memory({ initial: 6 });
    return { memory, allocate: () => memory.grow(1) * 65_536 };
  },
};

describe.each(Object.entries(memories))("in %s", (_, make) => {
  /** A copy of the bytes in the memory, before everything that an optimizer places there. */
  const within = ({ memory }: { memory: WebAssembly.Memory }, bytes: Uint8Array, at: number) => {
    const view = new Uint8Array(memory.buffer, at, bytes.length);
    view.set(bytes);
    return view;
  };

  it.each([0, 1, 2, 4, 8])("restore takes a file at byte %i of it, which grows for the state", (shift) => {
    const bytes = save(filled(MORE));
    const options = make();
    const optimizer = new RMSprop(SHAPES, options);
    const pages = options.memory.buffer.byteLength;
    const file = within(options, bytes, 1024 + shift);
    restore(optimizer, file);
    expect(options.memory.buffer.byteLength).toBeGreaterThan(pages);
    expectSame(save(optimizer), bytes);
    const other = load(bytes);
    for (const one of [optimizer, other]) train(one, 3, 5);
    expectSame(save(optimizer), save(other));
  });

  it("restoreLeRobot takes such files, too", () => {
    const source = filled(MORE);
    const files = saveLeRobot(source);
    const options = make();
    const optimizer = new RMSprop(SHAPES, options);
    restoreLeRobot(optimizer, {
      ...files,
      "optimizer_state.safetensors": within(options, files["optimizer_state.safetensors"], 1025),
      "model.safetensors": within(options, files["model.safetensors"]!, 262_144),
    });
    expectSame(save(optimizer), save(source));
  });

  it("load takes a file that lies in the memory of its optimizer", () => {
    const bytes = save(filled(MORE));
    const options = make();
    const loaded = load(within(options, bytes, 1027), options);
    expect(loaded.memory).toBe(options.memory);
    expectSame(save(loaded), bytes);
  });

  it("loadStateDict takes the optimizer's own views, exchanged, while the memory grows", () => {
    const optimizer = new RMSprop({ a: [50], b: [50] }, make());
    train(optimizer, 0, 2);
    const { params, state } = optimizer;
    const [a, b] = [params.a.slice(), params.b.slice()];
    const squares = { a: state.a.squareAvg.slice(), b: state.b.squareAvg.slice() };
    const dict = optimizer.stateDict();
    const exchanged = (mine: "a" | "b", other: "a" | "b") => ({
      shape: [50],
      param: params[other],
      squareAvg: state[other].squareAvg,
      momentumBuffer: params[mine],
    });
    optimizer.loadStateDict({
      ...dict,
      groups: dict.groups.map((group) => ({ ...group, momentum: 0.5 })),
      tensors: { a: exchanged("a", "b"), b: exchanged("b", "a") },
    });
    expect([...optimizer.params.a, ...optimizer.params.b]).toEqual([...b, ...a]);
    expect([...optimizer.state.a.squareAvg, ...optimizer.state.b.squareAvg]).toEqual([
      ...squares.b,
      ...squares.a,
    ]);
    expect([...optimizer.state.a.momentumBuffer!, ...optimizer.state.b.momentumBuffer!]).toEqual([
      ...a,
      ...b,
    ]);
  });

  it("a refused file makes no view anew, wherever it is found to be wrong", () => {
    const options = make();
    const optimizer = new RMSprop(SHAPES, options);
    train(optimizer, 0, 2);
    const views = [optimizer.params.w, optimizer.grads.w, optimizer.state.w.squareAvg];
    const before = snapshot(optimizer);
    const { buffer } = options.memory;
    const bytes = save(filled(MORE));
    const { json, data } = split(bytes);
    const spoilt = [
      bytes.subarray(0, -1),
      save(new RMSprop({ w: [70, 200], b: [33] }, MORE)),
      save(new RMSprop({ w: [200, 70], b: [34] }, MORE)),
      Buffer.concat([bytes.subarray(0, 8), Buffer.from(json.replaceAll('"0.01"', '"-1.0"')), data]),
    ];
    for (const file of spoilt) {
      expect(() => restore(optimizer, file)).toThrow();
      expect(snapshot(optimizer)).toEqual(before);
      expect([optimizer.params.w, optimizer.grads.w, optimizer.state.w.squareAvg]).toEqual(views);
      expect(options.memory.buffer).toBe(buffer);
    }
  });
});

it("a file whose state doesn't fit in the memory changes nothing, though some of it did", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 9 });
  const groups = [{ params: { a: [9000] } }, { params: { b: [9000] } }, { params: { c: [9000] } }];
  const optimizer = new RMSprop(groups, { memory });
  const dict = optimizer.stateDict();
  const arrays = ({ shape, param, squareAvg }: (typeof dict.tensors)["a"]) => ({
    ...{ shape, param, squareAvg },
    momentumBuffer: new Float32Array(param.length),
    gradAvg: new Float32Array(param.length),
  });
  const { a, b, c } = dict.tensors;
  const before = snapshot(optimizer);
  const larger = {
    ...dict,
    groups: dict.groups.map((group) => ({ ...group, ...MORE })),
    tensors: { a: arrays(a), b: arrays(b), c: arrays(c) },
  };
  expect(() => optimizer.loadStateDict(larger)).toThrow(MemoryError);
  expect(snapshot(optimizer)).toEqual(before);
  expect(() => restore(optimizer, save(new RMSprop(groups, MORE)))).toThrow(MemoryError);
  expect(snapshot(optimizer)).toEqual(before);
  expect(() => restore(optimizer, new Uint8Array(9))).toThrow(CheckpointError);
  train(optimizer, 0, 1);
  expect(optimizer.steps).toBe(1);
});
