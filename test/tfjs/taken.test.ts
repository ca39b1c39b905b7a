/** Gradients and variables that tf.js passes to its own optimizer, and that the drop-in takes as well. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { describeDropIn, expectNothingLeft, onEachBackend } from "../support/drop-in.ts";
import { type Tensor, type Tf, type Variable, valuesOf, variableOf } from "./installed.ts";

describeDropIn(({ tf, dropIn: { rmsprop } }) => {
  onEachBackend(tf, () => {
    expectNothingLeft(tf);
    afterEach(() => {
      vi.restoreAllMocks();
    });

    /** The values of a variable that starts at [1, 2], after one call for each list of gradients. */
    function valuesAfter(...calls: (() => Tensor[])[]): Float32Array {
      const variable = variableOf(tf, [1, 2], "w");
      const optimizer = rmsprop({ lr: 0.1, momentum: 0.9 });
      for (const gradients of calls) {
        tf.tidy(() => optimizer.applyGradients(gradients().map((tensor) => ({ name: "w", tensor }))));
      }
      expect(optimizer.iterations).toBe(calls.length);
      const result = valuesOf(variable);
      for (const used of [variable, optimizer]) used.dispose();
      return result;
    }
    const gradient = () => tf.tensor1d([0.5, -1]);
    const other = () => tf.tensor1d([2, 3]);

    it("makes one update of a gradient that is given twice", () => {
      const twice = () => {
        const one = gradient();
        return [one, one];
      };
      expect(valuesAfter(twice, twice)).toEqual(
        valuesAfter(
          () => [gradient()],
          () => [gradient()],
        ),
      );
    });

    it("updates by two gradients of one variable in turn", () => {
      expect(valuesAfter(() => [gradient(), other()]).map(Math.fround)).not.toEqual(
        valuesAfter(() => [gradient()]),
      );
      const apart = valuesAfter(
        () => [gradient()],
        () => [other()],
      );
      expect(valuesAfter(() => [gradient(), other()])).toEqual(apart);
    });

    it.each<[string, (tf: Tf) => Tensor]>([
      ["a scalar", (tf) => tf.scalar(3)],
      ["one row", (tf) => tf.tensor1d([3])],
      ["whole numbers", (tf) => tf.tensor1d([3, 3], "int32")],
    ])("takes a gradient that tf.js broadcasts or casts: %s", (_, make) => {
      expect(valuesAfter(() => [make(tf)])).toEqual(valuesAfter(() => [tf.tensor1d([3, 3])]));
    });

    it.each([{}, []])("counts a call without gradients, %o, and does no more", (none) => {
      const optimizer = rmsprop();
      optimizer.applyGradients(none);
      expect(optimizer.iterations).toBe(1);
      optimizer.dispose();
    });

    it.each([undefined, null])(
      "passes over a trainable variable whose gradient is %s, with one warning",
      (missing) => {
        const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
        const [trained, unused] = [variableOf(tf, [1, 2], "trained"), variableOf(tf, [3], "unused")];
        const optimizer = rmsprop({ lr: 0.1 });
        for (let n = 0; n < 3; n++) {
          tf.tidy(() =>
            optimizer.applyGradients({ trained: gradient(), unused: missing as unknown as Tensor }),
          );
        }
        expect(valuesOf(trained)[0]).toBeLessThan(1);
        expect(valuesOf(unused)).toEqual(Float32Array.of(3));
        expect(warn.mock.calls).toEqual([
          [expect.stringMatching(/: unused: trainable, but without a gradient/)],
        ]);
        for (const used of [trained, unused, optimizer]) used.dispose();
      },
    );

    it("passes over a trainable variable of whole numbers, with a warning", () => {
      const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
      const initial = tf.tensor1d([3], "int32");
      const [trained, whole] = [variableOf(tf, [1, 2], "trained"), tf.variable(initial, true, "whole")];
      const optimizer = rmsprop({ lr: 0.1 });
      optimizer.minimize(() => tf.sum(tf.square(trained)) as ReturnType<typeof tf.scalar>);
      tf.tidy(() =>
        optimizer.applyGradients([
          { name: "trained", tensor: gradient() },
          { name: "whole", tensor: null as unknown as Tensor },
        ]),
      );
      expect(optimizer.iterations).toBe(2);
      expect(valuesOf(whole)).toEqual(Float32Array.of(3));
      expect(warn).toHaveBeenCalledTimes(1);
      for (const used of [initial, trained, whole, optimizer]) used.dispose();
    });

    it("updates nothing of a variable without elements", () => {
      const empty = variableOf(tf, [], "empty");
      const optimizer = rmsprop({ momentum: 0.9, globalClipNorm: 1 });
      tf.tidy(() => optimizer.applyGradients({ empty: tf.tensor1d([]) }));
      expect([valuesOf(empty), optimizer.iterations]).toEqual([new Float32Array(), 1]);
      for (const used of [empty, optimizer]) used.dispose();
    });
  });

  describe("a model", () => {
    beforeEach(async () => {
      await tf.setBackend("cpu");
    });
    afterEach(() => {
      vi.restoreAllMocks();
      tf.disposeVariables();
    });

    const initial = (seed: number) => tf.initializers.glorotNormal({ seed });
    const samples = () => [
      tf.randomNormal([16, 4], 0, 1, "float32", 1),
      tf.randomNormal([16, 4], 0, 1, "float32", 2),
    ];

    /** Two towers on one layer, compared: their weights list that layer twice. */
    function twoTowers() {
      const shared = tf.layers.dense({ units: 3, activation: "tanh", kernelInitializer: initial(1) });
      const tower = (seed: number) => {
        const x = tf.input({ shape: [4] });
        const head = tf.layers.dense({ units: 2, kernelInitializer: initial(seed) });
        return tf.model({ inputs: x, outputs: head.apply(shared.apply(x)) as never });
      };
      const [a, b] = [tower(2), tower(3)];
      const inputs = [tf.input({ shape: [4] }), tf.input({ shape: [4] })];
      const outputs = inputs.map((x, i) => [a, b][i]!.apply(x));
      return tf.model({ inputs, outputs: tf.layers.dot({ axes: -1 }).apply(outputs as never) as never });
    }

    it("whose submodels share a layer trains, with one update of each weight", async () => {
      const model = twoTowers();
      const weights = model.trainableWeights.map((weight) => weight.read() as Variable);
      expect(new Set(weights).size).toBeLessThan(weights.length);
      const x = samples();
      const y = tf.sum(tf.mul(x[0]!, x[1]!), 1, true);
      // By hand: the same gradients, each once.
      const start = weights.map((weight) => tf.clone(weight));
      const byHand = rmsprop({ lr: 0.01 });
      for (let n = 0; n < 3; n++) {
        const loss = () =>
          tf.losses.meanSquaredError(y, model.apply(x, { training: true }) as Tensor) as never;
        byHand.minimize(loss, false, [...new Set(weights)]);
      }
      const expected = weights.map(valuesOf);
      for (const [i, weight] of weights.entries()) weight.assign(start[i]!);
      model.compile({ optimizer: rmsprop({ lr: 0.01 }), loss: "meanSquaredError" });
      await model.fit(x, y, { epochs: 3, batchSize: 16, shuffle: false, verbose: 0 });
      expect(weights.map(valuesOf)).toEqual(expected);
      expect(expected[0]).not.toEqual(valuesOf(start[0]!));
    });

    it("with a weight that nothing uses trains, with a warning", async () => {
      const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
      const x = tf.input({ shape: [4] });
      const used = tf.layers.dense({ units: 1 }).apply(x);
      const unused = tf.layers.dense({ units: 1 }).apply(x);
      // A loss of the first output alone.
      const model = tf.model({ inputs: x, outputs: [used, unused] as never });
      const zero = () => tf.scalar(0);
      model.compile({ optimizer: rmsprop(), loss: ["meanSquaredError", zero] as never });
      const [inputs] = samples();
      const y = tf.zeros([16, 1]);
      const { history } = await model.fit(inputs!, [y, y], { epochs: 20, verbose: 0 });
      expect(history.loss!.at(-1)).toBeLessThan(history.loss![0] as number);
      expect(warn).toHaveBeenCalledTimes(1);
    });
  });
});
