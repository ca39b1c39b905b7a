/** Files of an optimizer behind a proxy that wraps all objects which properties give, as those of Vue and MobX do. */
import { CheckpointError } from "rmsprop-wasm";
import {
  carriedTensors,
  load,
  restore,
  restoreLeRobot,
  save,
  saveChunks,
  saveLeRobot,
} from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { ENTRIES } from "../support/entries.ts";
import { expectSame } from "../support/runs.ts";
import { f32, fileOf, step } from "../support/tensor-files.ts";

/** Frameworks wrap neither typed arrays nor what can't be extended. */
const isWrapped = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && Object.isExtensible(value);

function reactive<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, key, receiver) {
      const value = Reflect.get(object, key, receiver);
      return isWrapped(value) ? reactive(value) : value;
    },
  });
}

describe.each(ENTRIES)("$entry, behind a proxy", ({ make }) => {
  const trained = (value: number) => {
    const optimizer = make(
      { w: [2, 3], b: [3] },
      { momentum: 0.9, centered: true, lr: (step) => 0.1 / (1 + step) },
    );
    for (const gradients of Object.values(optimizer.grads)) gradients.fill(value);
    optimizer.step();
    optimizer.step({ rows: { w: [1] } });
    optimizer.catchUp();
    return optimizer;
  };

  it("is saved, whole and in pieces, as without it", () => {
    const optimizer = trained(1);
    const bytes = save(optimizer);
    expectSame(save(reactive(optimizer)), bytes);
    expectSame(Buffer.concat([...saveChunks(reactive(optimizer))]), bytes);
    expect(saveLeRobot(reactive(optimizer))).toEqual(saveLeRobot(optimizer));
  });

  it("is filled from files", () => {
    const [one, other, last] = [trained(1), trained(2), trained(3)];
    restore(reactive(one), save(other));
    expectSame(save(one), save(other));
    restoreLeRobot(reactive(one), saveLeRobot(last));
    expectSame(save(one), save(last));
  });

  it("has its changes seen between two pieces", () => {
    const optimizer = reactive(make({ w: [600_000] }));
    const chunks = saveChunks(optimizer);
    chunks.next();
    chunks.next();
    optimizer.step();
    expect(() => chunks.next()).toThrow(CheckpointError);
  });
});

it("an optimizer behind a proxy keeps the tensors that it carries", () => {
  const optimizer = load(
    fileOf({ w: f32(1, 2), "state.w.square_avg": f32(3, 4), "state.w.step": step(1), mean: f32(5) }),
  );
  restore(reactive(optimizer), save(optimizer));
  expect([...carriedTensors(reactive(optimizer)).keys()]).toEqual(["mean"]);
});
