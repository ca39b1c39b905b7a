/** State that is disposed of behind the optimizer's back is no state to go on from: an error says what to do. */
import { afterEach, expect, it } from "vitest";
import { describeDropIn, onEachBackend } from "../support/drop-in.ts";
import { valuesOf, variableOf } from "./installed.ts";

describeDropIn(({ tf, dropIn }) => {
  onEachBackend(tf, (backend) => {
    afterEach(() => tf.disposeVariables());
    const gradients = () => ({ w: tf.tensor1d([1, 1]) });
    const anew = () => variableOf(tf, [1, 2], "w");

    it.each<[string, () => void]>([
      ["tf.disposeVariables()", () => tf.disposeVariables()],
      ["tf.engine().reset()", () => tf.engine().reset()],
    ])("after %s a step throws until state is loaded", async (_, lose) => {
      anew();
      const optimizer = dropIn.rmsprop({ lr: 0.1 });
      optimizer.applyGradients(gradients());
      const saved = await optimizer.getWeights();
      const kept = saved.map(({ name, tensor }) => ({ name, values: valuesOf(tensor), shape: tensor.shape }));
      lose();
      await tf.setBackend(backend);
      const variable = anew();
      expect(() => optimizer.applyGradients(gradients())).toThrow(dropIn.DisposedError);
      await expect(optimizer.getWeights()).rejects.toThrow(/saved state by `setWeights`, or make a new/);
      expect([optimizer.iterations, valuesOf(variable)]).toEqual([1, Float32Array.of(1, 2)]);

      const restored = kept.map(({ name, values, shape }) => ({ name, tensor: tf.tensor(values, shape) }));
      await optimizer.setWeights(restored);
      optimizer.applyGradients(gradients());
      expect(optimizer.iterations).toBe(2);
      expect((await optimizer.getWeights()).map(({ name }) => name)).toEqual(kept.map(({ name }) => name));
    });

    it.each(["tf.disposeVariables()", "tf.engine().reset()"])(
      "loaded state is no other: %s",
      async (name) => {
        anew();
        const first = dropIn.rmsprop();
        first.applyGradients(gradients());
        const optimizer = dropIn.rmsprop();
        await optimizer.setWeights(await first.getWeights());
        if (name === "tf.engine().reset()") tf.engine().reset();
        else tf.disposeVariables();
        await tf.setBackend(backend);
        anew();
        expect(() => optimizer.applyGradients(gradients())).toThrow(dropIn.DisposedError);
      },
    );
  });
});
