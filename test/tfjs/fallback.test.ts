/** The drop-in on a tf.js that is built otherwise than expected, or without WebAssembly: slower, with the same bits. */
import { afterEach, expect, it, vi } from "vitest";
import { describeDropIn } from "../support/drop-in.ts";
import { forbidWebAssembly } from "../support/forbidden.ts";
import { valuesOf, variableOf } from "./installed.ts";

/** Of the wasm backend, what another version might not have. */
interface Internals {
  wasm: { asm: { memory?: unknown } };
}

describeDropIn(({ tf, dropIn }) => {
  let { rmsprop } = dropIn;
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  function train(): Float32Array {
    const variable = variableOf(tf, [1, 2, 3]);
    const gradient = tf.tensor1d([0.5, -1, 0]);
    const optimizer = rmsprop({ lr: 0.1, momentum: 0.9, clipValue: 0.75 });
    for (let step = 0; step < 3; step++) optimizer.applyGradients({ [variable.name]: gradient });
    const result = valuesOf(variable);
    for (const used of [variable, gradient, optimizer]) used.dispose();
    return result;
  }

  it("works on a wasm backend whose memory it doesn't find, and says so once", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await tf.setBackend("cpu");
    const expected = train();
    await tf.setBackend("wasm");
    const { wasm } = tf.backend() as unknown as Internals;
    wasm.asm = { ...wasm.asm, memory: undefined };
    expect(train()).toEqual(expected);
    expect(train()).toEqual(expected);
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/can't update in place on the wasm backend of tf.js/)],
    ]);
  });

  it("works on the cpu backend where WebAssembly is forbidden", async () => {
    await tf.setBackend("cpu");
    const expected = train();
    const compile = forbidWebAssembly();
    ({ rmsprop } = await import("rmsprop-wasm/tfjs"));
    expect(train()).toEqual(expected);
    expect(compile).toHaveBeenCalled();
  });
});
