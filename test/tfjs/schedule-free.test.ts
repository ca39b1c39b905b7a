/** `scheduleFree` in the drop-in: the points and averages of `RMSprop`, on every kind of backend. */
import { expect, it } from "vitest";
import { describeDropIn, expectNothingLeft, onEachBackend } from "../support/drop-in.ts";
import { type RMSPropOptions, valuesOf, variableOf } from "./installed.ts";
import { free, twins } from "./schedule-free-twins.ts";

const OPTIONS: RMSPropOptions[] = [
  { scheduleFree: true },
  { scheduleFree: { beta: 0.5, warmupSteps: 3, r: 1.5, weightLrPower: 1 } },
  { scheduleFree: true, momentum: 0.7, nesterov: true, centered: true },
  { scheduleFree: true, weightDecay: 0.1, decoupledWeightDecay: true, clipValue: 0.5 },
  { scheduleFree: { r: 1 }, lr: (step) => 0.01 / (step + 1), biasCorrection: true, weightDecay: 0.1 },
];
const COUNTS = [7, 40, 16_385];
const STEPS = 66;

describeDropIn(({ tf, dropIn }) => {
  const { rmsprop } = dropIn;
  type Optimizer = ReturnType<typeof rmsprop>;

  onEachBackend(tf, (backend) => {
    expectNothingLeft(tf);

    const both = (options: RMSPropOptions, counts = COUNTS) => twins(dropIn, tf, options, counts);

    it.each(OPTIONS)("gives the bits of RMSprop, and its averages: %o", (options) => {
      const { optimizer, variables, reference, step, expectSame } = both(options);
      for (let n = 0; n < STEPS; n++) {
        step(n);
        if (n % 20 !== 5) continue;
        expectSame();
        const trained = variables.map(valuesOf);
        for (const one of [optimizer, reference]) one.eval();
        expect(variables.map(valuesOf)).not.toEqual(trained);
        // By its operations, tf.js rounds the average twice more than in double.
        if (backend === "unknown") {
          variables.forEach((variable, i) => {
            tf.test_util.expectArraysClose(valuesOf(variable), reference.params[`w${i}`]!, 1e-6);
          });
        } else expectSame();
        for (const one of [optimizer, reference]) one.train();
        expectSame();
      }
      expectSame();
      free(optimizer, ...variables);
    });

    it("evaluates with what tf.js multiplies by, then trains with it", () => {
      const { optimizer, variables, step } = both({ scheduleFree: true, lr: 0.1 }, [12]);
      const x = tf.ones([2, 3]) as ReturnType<typeof tf.tensor2d>;
      // tf.js's wasm backend keeps a packed copy of the weights that it has once multiplied by.
      const multiply = () =>
        tf.tidy(() => valuesOf(tf.matMul(x, tf.reshape(variables[0]!, [3, 4]) as typeof x)));
      const expected = () => {
        const values = valuesOf(variables[0]!);
        const sums = [0, 1, 2, 3].map((i) => values[i]! + values[4 + i]! + values[8 + i]!);
        return [...sums, ...sums].map((sum) => expect.closeTo(sum, 4));
      };
      for (let n = 0; n < 4; n++) {
        step(n);
        expect([...multiply()]).toEqual(expected());
        optimizer.eval();
        expect([...multiply()]).toEqual(expected());
        optimizer.train();
        expect([...multiply()]).toEqual(expected());
      }
      free(optimizer, x, ...variables);
    });

    it("leaves clones as they are, and keeps one tensor for each variable while it evaluates", () => {
      const { optimizer, variables, step } = both({ scheduleFree: true }, [5, 6]);
      step(0);
      step(1);
      const before = tf.memory().numTensors;
      const clone = tf.clone(variables[0]!);
      const values = valuesOf(clone);
      optimizer.eval();
      optimizer.eval();
      expect(tf.memory().numTensors).toBe(before + 3);
      expect(valuesOf(clone)).toEqual(values);
      expect(valuesOf(variables[0]!)).not.toEqual(values);
      optimizer.train();
      optimizer.train();
      expect(valuesOf(variables[0]!)).toEqual(values);
      clone.dispose();
      expect(tf.memory().numTensors).toBe(before);
      free(optimizer, ...variables);
    });

    it.each(["eval", "train"] as const)("refuses a schedule that calls %s() of its optimizer", (method) => {
      const w = tf.tidy(() => tf.variable(tf.ones([3])));
      const optimizer: Optimizer = rmsprop({
        scheduleFree: true,
        lr: () => {
          optimizer[method]();
          return 0.1;
        },
      });
      const gradients = { [w.name]: tf.ones([3]) };
      expect(() => optimizer.applyGradients(gradients)).toThrow(dropIn.OptionError);
      expect(() => optimizer.applyGradients(gradients)).toThrow(/the schedule has called its optimizer/);
      expect([...valuesOf(w)]).toEqual([1, 1, 1]);
      expect(optimizer.iterations).toBe(0);
      free(optimizer, w, ...Object.values(gradients));
    });

    it("refuses what would take the averages for the variables' values, and changes nothing", async () => {
      const { optimizer, variables, step, expectSame, reference } = both({ scheduleFree: true }, [5]);
      step(0);
      step(1);
      const weights = (await optimizer.getWeights()).map(({ name, tensor }) => ({
        name,
        tensor: tf.clone(tensor),
      }));
      optimizer.eval();
      const averages = valuesOf(variables[0]!);
      const gradient = tf.ones([5]);
      const loss = () => tf.sum(variables[0]!) as ReturnType<typeof tf.scalar>;
      const message = /averages stand in .* call train\(\)/;
      expect(() => optimizer.applyGradients({ w0: gradient })).toThrow(dropIn.SwappedError);
      expect(() => optimizer.applyGradients({ w0: gradient })).toThrow(message);
      expect(() => optimizer.minimize(loss)).toThrow(message);
      await expect(optimizer.getWeights()).rejects.toThrow(message);
      await expect(optimizer.setWeights(weights)).rejects.toThrow(message);
      expect(valuesOf(variables[0]!)).toEqual(averages);
      expect(optimizer.iterations).toBe(2);
      optimizer.train();
      expectSame();
      step(2);
      expectSame();
      expect(reference.steps).toBe(optimizer.iterations);
      free(optimizer, gradient, ...variables, ...weights.map(({ tensor }) => tensor));
    });

    it("has no averages before the first step", () => {
      const { optimizer, variables, step, expectSame, reference } = both({ scheduleFree: true }, [5]);
      for (const one of [optimizer, reference]) one.eval();
      expectSame();
      expect(() => optimizer.applyGradients({})).toThrow(/call train\(\)/);
      for (const one of [optimizer, reference]) one.train();
      step(0);
      expectSame();
      free(optimizer, ...variables);
    });

    it("passes over variables that are disposed of while it evaluates", () => {
      const { optimizer, variables, step } = both({ scheduleFree: true }, [5, 6]);
      step(0);
      step(1);
      const trained = valuesOf(variables[1]!);
      optimizer.eval();
      variables[0]!.dispose();
      const other = variableOf(tf, [1, 2], "w0");
      optimizer.train();
      expect(valuesOf(other)).toEqual(Float32Array.of(1, 2));
      expect(valuesOf(variables[1]!)).toEqual(trained);
      free(other, variables[1]!, optimizer);
    });

    it("leaves the averages to a program that has disposed of it meanwhile", () => {
      const { optimizer, variables, step } = both({ scheduleFree: true }, [5]);
      step(0);
      step(1);
      optimizer.eval();
      const averages = valuesOf(variables[0]!);
      optimizer.dispose();
      expect(valuesOf(variables[0]!)).toEqual(averages);
      expect(() => optimizer.train()).toThrow(dropIn.DisposedError);
      free(...variables);
    });

    it("lets a variable that comes later begin where it is", () => {
      const optimizer = rmsprop({ scheduleFree: true, lr: 0.5 });
      const [first, later] = [variableOf(tf, [1], "first"), variableOf(tf, [5], "later")];
      const [one, zero] = [tf.ones([1]), tf.zeros([1])];
      for (let n = 0; n < 4; n++) optimizer.applyGradients({ first: one });
      optimizer.applyGradients({ first: one, later: zero });
      optimizer.eval();
      expect(valuesOf(later)).toEqual(Float32Array.of(5));
      optimizer.train();
      free(first, later, one, zero, optimizer);
    });

    it("doesn't weigh steps that are skipped", () => {
      const gradients = [
        [1, 2],
        [Number.NaN, 1],
        [-1, 3],
      ];
      const run = (steps: number[][]) => {
        const optimizer = rmsprop({ scheduleFree: { r: 1 }, nonFinite: "skip", lr: 0.1 });
        const variable = variableOf(tf, [1, 2]);
        for (const values of steps) {
          const gradient = tf.tensor1d(values);
          optimizer.applyGradients({ [variable.name]: gradient });
          gradient.dispose();
        }
        optimizer.eval();
        const result = valuesOf(variable);
        free(variable, optimizer);
        return result;
      };
      expect(run(gradients)).toEqual(run([gradients[0]!, gradients[2]!]));
    });
  });

  it.each(["eval", "train"] as const)("refuses %s() without the option", (method) => {
    const optimizer = rmsprop();
    expect(() => optimizer[method]()).toThrow(dropIn.OptionError);
    expect(() => optimizer[method]()).toThrow(`${method}() is for the averages of scheduleFree`);
    optimizer.dispose();
  });
});
