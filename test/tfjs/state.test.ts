/** The data that a step changes, the variables that state belongs to, and that nothing is left behind. */
import { beforeEach, describe, expect, it } from "vitest";
import { describeDropIn, expectNothingLeft, onEachBackend } from "../support/drop-in.ts";
import { type DropIn, type Tensor, type Tf, type Variable, valuesOf, variableOf } from "./installed.ts";

describeDropIn(({ tf, dropIn: { rmsprop } }) => {
  /** One step of each variable along a gradient of ones. */
  function step(optimizer: ReturnType<DropIn["rmsprop"]>, ...variables: Variable[]): void {
    tf.tidy(() => {
      const gradients = variables.map(({ name, shape }) => ({ name, tensor: tf.ones(shape) }));
      optimizer.applyGradients(gradients);
    });
  }

  onEachBackend(tf, () => {
    expectNothingLeft(tf);

    it("learns on from an infinite average, which tf.js leaves behind a huge gradient", async () => {
      const variable = variableOf(tf, [1, 1]);
      const theirs = tf.train.rmsprop(0.5);
      const huge = tf.tensor1d([1e20, 1]);
      theirs.applyGradients([{ name: variable.name, tensor: huge }]);
      const optimizer = rmsprop({ lr: 0.5 });
      step(optimizer, variable);
      const saved = await theirs.getWeights();
      expect(valuesOf(saved[1]!.tensor)[0]).toBe(Infinity);
      await optimizer.setWeights(saved);
      const start = valuesOf(variable)[0]!;
      for (let i = 0; i < 2000; i++) step(optimizer, variable);
      expect(valuesOf(variable)[0]! - start).toBeLessThan(-100);
      for (const used of [variable, huge, theirs, optimizer, ...saved.map(({ tensor }) => tensor)])
        used.dispose();
    });

    it.each<[string, (variable: Variable) => Tensor]>([
      ["a clone", (variable) => tf.clone(variable)],
      ["a tensor of another shape", (variable) => tf.reshape(variable, [2, 1])],
      ["another variable", (variable) => tf.variable(variable)],
    ])("leaves %s of a variable as it is", (_, share) => {
      const variable = variableOf(tf, [1, 2]);
      const shared = share(variable);
      const optimizer = rmsprop({ lr: 0.5 });
      step(optimizer, variable);
      expect(valuesOf(shared)).toEqual(Float32Array.of(1, 2));
      expect(valuesOf(variable)[0]).toBeLessThan(1);
      const once = valuesOf(variable);
      shared.dispose();
      step(optimizer, variable);
      expect(valuesOf(variable)[0]).toBeLessThan(once[0]!);
      for (const used of [variable, optimizer]) used.dispose();
    });

    it("leaves the tensor that a variable was made of as it is", () => {
      const initial = tf.tensor1d([1, 2]);
      const variable = tf.variable(initial);
      const optimizer = rmsprop();
      step(optimizer, variable);
      expect(valuesOf(initial)).toEqual(Float32Array.of(1, 2));
      for (const used of [initial, variable, optimizer]) used.dispose();
    });

    it("leaves arrays as they are: given to a variable, and read of it", () => {
      const given = Float32Array.of(1, 2);
      const initial = tf.tensor1d(given);
      const variable = tf.variable(initial);
      initial.dispose();
      const optimizer = rmsprop();
      step(optimizer, variable);
      const read = variable.dataSync();
      const copy = read.slice();
      step(optimizer, variable);
      expect(given).toEqual(Float32Array.of(1, 2));
      expect(read).toEqual(copy);
      expect(variable.dataSync()).not.toEqual(copy);
      for (const used of [variable, optimizer]) used.dispose();
    });

    it("leaves gradients as they are", () => {
      const variable = variableOf(tf, [1, 2]);
      const gradient = tf.tensor1d([3, 4]);
      const optimizer = rmsprop({ clipNorm: 1, weightDecay: 0.1 });
      optimizer.applyGradients({ [variable.name]: gradient });
      expect(valuesOf(gradient)).toEqual(Float32Array.of(3, 4));
      for (const used of [variable, gradient, optimizer]) used.dispose();
    });

    it("takes a variable for its own gradient", () => {
      const initial = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i));
      const train = (gradientOf: (variable: Variable) => Tensor) => {
        const variable = variableOf(tf, initial);
        const gradient = gradientOf(variable);
        const optimizer = rmsprop({ lr: 0.5 });
        optimizer.applyGradients({ [variable.name]: gradient });
        const result = valuesOf(variable);
        for (const used of [gradient, variable, optimizer]) used.dispose();
        return result;
      };
      expect(train((variable) => variable)).toEqual(train(() => tf.tensor1d(initial)));
    });

    it("keeps what shares the state that getWeights gave as it is", async () => {
      const variable = variableOf(tf, [1, 2]);
      const optimizer = rmsprop({ momentum: 0.9, centered: true });
      step(optimizer, variable);
      const [, ...planes] = await optimizer.getWeights();
      const clones = planes.map(({ tensor }) => tf.reshape(tensor, [2, 1]));
      const before = clones.map(valuesOf);
      step(optimizer, variable);
      expect(clones.map(valuesOf)).toEqual(before);
      expect(planes.map(({ tensor }) => valuesOf(tensor))).not.toEqual(before);
      for (const used of [variable, optimizer, ...clones]) used.dispose();
    });

    it("keeps state by variable: they come, go, and change places", () => {
      const options = { lr: 0.1, momentum: 0.9, biasCorrection: true } as const;
      const make = () => [variableOf(tf, [1]), variableOf(tf, [2]), variableOf(tf, [3])] as const;
      const [a, b, c] = make();
      const together = rmsprop(options);
      step(together, a, b);
      step(together, b, a);
      step(together, c, b);
      step(together, a);
      step(together, b, c, a);
      const counts = [4, 4, 2];
      for (const [i, alone] of make().entries()) {
        const optimizer = rmsprop(options);
        for (let n = 0; n < counts[i]!; n++) step(optimizer, alone);
        expect(valuesOf([a, b, c][i]!)).toEqual(valuesOf(alone));
        for (const used of [alone, optimizer]) used.dispose();
      }
      for (const used of [a, b, c, together]) used.dispose();
    });

    it("gives a new variable of an old one's name a state of its own, and frees the old one's", () => {
      const optimizer = rmsprop({ lr: 0.1 });
      const first = variableOf(tf, [1], "w");
      for (let n = 0; n < 3; n++) step(optimizer, first);
      const tensors = tf.memory().numTensors;
      first.dispose();
      const second = variableOf(tf, [1], "w");
      step(optimizer, second);
      expect(tf.memory().numTensors).toBe(tensors);
      const fresh = variableOf(tf, [1]);
      const other = rmsprop({ lr: 0.1 });
      step(other, fresh);
      expect(valuesOf(second)).toEqual(valuesOf(fresh));
      for (const used of [optimizer, second, fresh, other]) used.dispose();
    });

    it("passes over a frozen variable without a gradient, as minimize gives it", () => {
      const trained = variableOf(tf, [1]);
      const frozen = variableOf(tf, [1]);
      frozen.trainable = false;
      const optimizer = rmsprop();
      const loss = () => tf.sum(tf.mul(trained, frozen)) as ReturnType<typeof tf.scalar>;
      tf.tidy(() => {
        optimizer.minimize(loss, false, [frozen, trained]);
      });
      expect([...valuesOf(frozen)]).toEqual([1]);
      expect(valuesOf(trained)[0]).toBeLessThan(1);
      for (const used of [trained, frozen, optimizer]) used.dispose();
    });

    it("leaves nothing behind in 10,000 steps and a hundred saves", async () => {
      const variables = [variableOf(tf, [1, 2, 3]), variableOf(tf, new Float32Array(100))];
      const optimizer = rmsprop({ lr: 1e-3 });
      const loss = () =>
        tf.addN(variables.map((variable) => tf.sum(tf.square(variable)))) as ReturnType<typeof tf.scalar>;
      const held = () => ({
        ...tf.memory(),
        reasons: [],
        dataIds: tf.backend().numDataIds(),
        heap: heapBytes(),
      });
      optimizer.minimize(loss, false, variables);
      await optimizer.getWeights();
      const start = held();
      for (let n = 1; n < 10_000; n++) {
        optimizer.minimize(loss, false, variables);
        if (n % 100 === 0) await optimizer.getWeights();
      }
      expect(optimizer.iterations).toBe(10_000);
      expect(held()).toEqual(start);
      for (const used of [...variables, optimizer]) used.dispose();
    });

    /** Of the memory in which the wasm backend has its tensors. */
    function heapBytes(): number {
      const { wasm } = tf.backend() as { wasm?: { HEAPU8: Uint8Array } };
      return wasm?.HEAPU8.byteLength ?? 0;
    }

    it("works inside a tidy from its first step on", () => {
      const variable = variableOf(tf, [1, 2]);
      const optimizer = rmsprop({ momentum: 0.9 });
      const f = () => tf.sum(tf.square(variable)) as ReturnType<typeof tf.scalar>;
      for (let n = 0; n < 3; n++) tf.tidy(() => optimizer.minimize(f, true) as Tensor).dispose();
      expect(optimizer.iterations).toBe(3);
      for (const used of [variable, optimizer]) used.dispose();
    });
  });

  it("follows variables and their state to another backend", async () => {
    const train = async (backends: readonly string[]) => {
      const variable = variableOf(tf, [1, 2]);
      const optimizer = rmsprop({ momentum: 0.9, centered: true });
      for (const backend of backends) {
        await tf.setBackend(backend);
        step(optimizer, variable);
      }
      const result = valuesOf(variable);
      for (const used of [variable, optimizer]) used.dispose();
      return result;
    };
    const stayed = await train(["cpu", "cpu", "cpu", "cpu", "cpu"]);
    expect(await train(["cpu", "wasm", "unknown", "wasm", "cpu"])).toEqual(stayed);
  });

  describe("on backend wasm", () => {
    beforeEach(async () => {
      await tf.setBackend("wasm");
    });

    it("updates where the data lies", () => {
      const variable = variableOf(tf, [1, 2]);
      const optimizer = rmsprop({ momentum: 0.9 });
      step(optimizer, variable);
      const { dataId } = variable;
      step(optimizer, variable);
      expect(variable.dataId).toBe(dataId);
      for (const used of [variable, optimizer]) used.dispose();
    });

    // For these tf.js keeps the weights in another form, by the tensor, which it takes for constant.
    it.each<[string, number[], number[], (tf: Tf, x: never, weights: never) => Tensor]>([
      ["a product", [4, 3], [3, 2], (tf, x, weights) => tf.matMul(x, weights)],
      ["a bias", [3, 3], [3], (tf, x, bias) => tf.fused.matMul({ a: x, b: x, bias })],
      ["a convolution", [1, 4, 3, 1], [2, 2, 1, 1], (tf, x, weights) => tf.conv2d(x, weights, 1, "valid")],
      [
        "a depthwise convolution",
        [1, 4, 3, 1],
        [2, 2, 1, 1],
        (tf, x, weights) => tf.depthwiseConv2d(x, weights, 1, "valid"),
      ],
      ["a prelu", [4, 3], [3], (tf, x, weights) => tf.prelu(x, weights)],
    ])("shows %s the weights as each update leaves them", (_, inputShape, shape, apply) => {
      const input = tf.randomUniform(inputShape, -1, 1, "float32", 1);
      const initial = tf.ones(shape);
      const weights = tf.variable(initial);
      initial.dispose();
      const optimizer = rmsprop({ lr: 0.1 });
      for (let n = 0; n < 3; n++) {
        const fresh = tf.tensor(weights.dataSync(), shape);
        const resultOf = (one: Tensor) => tf.tidy(() => valuesOf(apply(tf, input as never, one as never)));
        expect(resultOf(weights)).toEqual(resultOf(fresh));
        fresh.dispose();
        step(optimizer, weights);
      }
      for (const used of [input, weights, optimizer]) used.dispose();
    });

    it("goes on in a heap that has grown", () => {
      const variable = variableOf(tf, [1, 2]);
      const stayed = variableOf(tf, [1, 2]);
      const optimizers = [rmsprop({ momentum: 0.9 }), rmsprop({ momentum: 0.9 })] as const;
      const { HEAPU8 } = (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm;
      step(optimizers[0], variable);
      const large = tf.zeros([HEAPU8.byteLength / 4]);
      expect(HEAPU8.byteLength).toBe(0); // detached
      step(optimizers[0], variable);
      step(optimizers[1], stayed);
      step(optimizers[1], stayed);
      expect(valuesOf(variable)).toEqual(valuesOf(stayed));
      for (const used of [variable, stayed, large, ...optimizers]) used.dispose();
    });
  });
});
