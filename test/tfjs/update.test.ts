/** The drop-in's results, on every kind of backend. */
import fc from "fast-check";
import { dialects, RMSprop } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { distance, expectNoFarther } from "../golden/distance.ts";
import { runExactly } from "../golden/exact.ts";
import { ELEMENTS, gradients, parameters } from "../golden/inputs.ts";
import { tfjsMathematics } from "../golden/tfjs.ts";
import { describeDropIn, onEachBackend } from "../support/drop-in.ts";
import { bits, ordinaryPlanes, type Planes } from "../support/kernels.ts";
import { type RMSPropOptions, train, valuesOf, variableOf } from "./installed.ts";

const STEPS = 200;

describeDropIn(({ tf, dropIn: { rmsprop } }) => {
  onEachBackend(tf, (backend) => {
    // tfjs-core/src/optimizers/rmsprop_optimizer_test.ts, which minimizes the sum of squares from [1, 2].
    it.each([
      { centered: false, first: [0.5527865, 1.5527864], second: [0.2874418, 1.2294267] },
      { centered: true, first: [0.5411684, 1.5411685], second: [0.2677834, 1.2035918] },
    ])("gives the values of tf.js's own tests, centered $centered", ({ centered, first, second }) => {
      const before = tf.memory().numTensors;
      const optimizer = rmsprop({ lr: 0.1, alpha: 0.95, momentum: 0.1, centered });
      const x = variableOf(tf, [1, 2]);
      const f = () => tf.sum(tf.square(x)) as ReturnType<typeof tf.scalar>;

      const cost = optimizer.minimize(f, true);
      expect(cost?.dataSync()[0]).toBeCloseTo(5);
      tf.test_util.expectArraysClose(x.dataSync(), first);
      // x, the cost, and as many averages as in tf.js.
      expect(tf.memory().numTensors).toBe(before + 2 + (centered ? 3 : 2));
      cost?.dispose();

      expect(optimizer.minimize(f)).toBe(null);
      tf.test_util.expectArraysClose(x.dataSync(), second);
      expect(optimizer.iterations).toBe(2);
      x.dispose();
      optimizer.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    it.each([{ momentum: 0 }, { momentum: 0.9 }])(
      "is as near to float64 as tf.train.rmsprop after 200 steps, momentum $momentum",
      ({ momentum }) => {
        const lr = 1e-3;
        const theirs = tf.train.rmsprop(lr, undefined, momentum);
        const { decay: alpha, epsilon: eps } = theirs.getConfig() as { decay: number; epsilon: number };
        const mathematics = tfjsMathematics({ lr, alpha, eps, momentum, centered: false });
        const exact = runExactly(mathematics, "ordinary", { steps: STEPS }).parameters;
        const steps = Array.from({ length: STEPS }, (_, step) => gradients("ordinary", step));
        const all = Array.from({ length: ELEMENTS }, (_, i) => i);
        expectNoFarther(
          distance(train(tf, rmsprop({ lr, momentum }), parameters(), steps), exact, all),
          distance(train(tf, theirs, parameters(), steps), exact, all),
        );
      },
    );

    it("stays finite, centered, where tf.train.rmsprop gives NaN: a first gradient of zero", () => {
      const steps = [
        [0, 0.5],
        [0.5, 0.5],
        [0.5, -0.5],
      ];
      const theirs = train(tf, tf.train.rmsprop(0.01, undefined, 0, undefined, true), [1, 1], steps);
      const ours = train(tf, rmsprop({ lr: 0.01, centered: true }), [1, 1], steps);
      expect([...theirs].map(Number.isFinite)).toEqual([false, true]);
      expect([...ours].map(Number.isFinite)).toEqual([true, true]);
      // Elsewhere epsilon is lost beside the variance, and the two agree.
      expect(ours[1]).toBeCloseTo(theirs[1]!, 6);
    });

    it("gives the bits of RMSprop, whatever the options", () => {
      // tf.js's sum of squares has other bits than ours, where its operations are what updates.
      const norms = backend === "unknown" ? fc.constant({}) : anyNorm;
      fc.assert(
        fc.property(anyOptions, norms, anyCounts, fc.integer(), (options, norm, counts, seed) => {
          const planes = counts.map((count, i) => ordinaryPlanes(count, seed + i));
          const { ours, reference } = trainBoth({ ...options, ...norm }, planes);
          expect(ours.map(bits)).toEqual(reference.map(bits));
        }),
        { numRuns: 40 },
      );
    });

    it("gives the bits of RMSprop past the steps that flush denormals, and with another rate", async () => {
      const options = { alpha: 0.25, momentum: 0.5, lr: 0.1 };
      const optimizer = rmsprop(options);
      const reference = new RMSprop(
        { w: Float32Array.of(1, -2, 3) },
        { ...dialects.tfjs, ...options, backend: "js" },
      );
      const variable = variableOf(tf, [1, -2, 3], "w");
      const gradients = [
        [0.5, 1e-3, -1],
        [0, 0, 1e-20],
      ];
      for (let step = 0; step < 130; step++) {
        // Averages and momentum decay to denormals until the 64th step.
        const values = gradients[Math.min(step, 1)]!;
        if (step === 70) for (const one of [optimizer, reference]) one.lr = 0.05;
        reference.grads.w.set(values);
        reference.step();
        tf.tidy(() => optimizer.applyGradients({ w: tf.tensor1d(values) }));
        expect(bits(valuesOf(variable))).toEqual(bits(reference.params.w));
      }
      const [, squareAvg, momentum] = (await optimizer.getWeights()).map(({ tensor }) =>
        bits(valuesOf(tensor)),
      );
      expect(squareAvg).toEqual(bits(reference.state.w.squareAvg));
      expect(momentum).toEqual(bits(reference.state.w.momentumBuffer!));
      for (const used of [variable, optimizer]) used.dispose();
    });

    it.each([{ clipNorm: 0.1 }, { globalClipNorm: 0.1 }])("clips by a norm: %o", (options) => {
      const planes = [40, 5000].map((count) => ordinaryPlanes(count, count));
      const clipped = trainBoth(options, planes);
      const unclipped = trainBoth({}, planes);
      clipped.ours.forEach((values, i) => {
        tf.test_util.expectArraysClose(values, clipped.reference[i]!, 1e-6);
        expect(values).not.toEqual(unclipped.ours[i]);
      });
    });

    /** The values of variables after three steps of ours, and of those of `RMSprop`. */
    function trainBoth(options: RMSPropOptions, planes: readonly Planes[]) {
      const optimizer = rmsprop(options);
      const reference = new RMSprop(Object.fromEntries(planes.map(({ param }, i) => [`w${i}`, param])), {
        ...dialects.tfjs,
        lr: 1e-3,
        ...options,
        backend: "js",
      });
      const variables = planes.map(({ param }) => variableOf(tf, param));
      for (const from of ["grad", "ema", "grad"] as const) {
        for (const [i, plane] of planes.entries()) reference.grads[`w${i}`]!.set(plane[from]);
        reference.step();
        tf.tidy(() => {
          optimizer.applyGradients(
            variables.map(({ name }, i) => ({ name, tensor: tf.tensor1d(planes[i]![from]) })),
          );
        });
      }
      const ours = variables.map(valuesOf);
      for (const used of [...variables, optimizer]) used.dispose();
      return { ours, reference: planes.map((_, i) => reference.params[`w${i}`]!) };
    }

    describe("with a gradient that isn't finite", () => {
      it.each([Number.NaN, Number.POSITIVE_INFINITY])("skips the step, for %d", (value) => {
        const variables = [variableOf(tf, [1, 2], "fine"), variableOf(tf, [3], "broken")];
        const optimizer = rmsprop({ nonFinite: "skip" });
        const fine = tf.tensor1d([1, 1]);
        const broken = tf.tensor1d([value]);
        const before = tf.memory().numTensors;
        optimizer.applyGradients({ fine, broken });
        expect(variables.map(valuesOf)).toEqual([Float32Array.of(1, 2), Float32Array.of(3)]);
        expect([optimizer.iterations, optimizer.skippedSteps]).toEqual([0, 1]);
        expect(tf.memory().numTensors).toBe(before);
        for (const used of [...variables, optimizer, fine, broken]) used.dispose();
      });

      it("throws, and names the variable", () => {
        const variables = [variableOf(tf, [1, 2], "fine"), variableOf(tf, [3], "broken")];
        const optimizer = rmsprop({ nonFinite: "throw" });
        const fine = tf.tensor1d([1, 1]);
        const broken = tf.tensor1d([Number.NaN]);
        const step = () => optimizer.applyGradients({ fine, broken });
        expect(step).toThrow(/gradients of broken hold a NaN/);
        expect(variables.map(valuesOf)).toEqual([Float32Array.of(1, 2), Float32Array.of(3)]);
        expect(optimizer.iterations).toBe(0);
        for (const used of [...variables, optimizer, fine, broken]) used.dispose();
      });

      it("takes a step whose gradient is finite, but not its square", () => {
        const optimizer = rmsprop({ nonFinite: "skip" });
        train(tf, optimizer, [1], [[1e30]]);
        expect(optimizer.skippedSteps).toBe(0);
      });
    });

    it.each(["lr", "learningRate"] as const)("takes another %s between steps, or a schedule", (name) => {
      const optimizer = rmsprop({ lr: 0.5 });
      const rates = [0.5];
      const variable = variableOf(tf, [0]);
      const gradient = tf.tensor1d([1]);
      const values: number[] = [];
      const step = () => {
        optimizer.applyGradients({ [variable.name]: gradient });
        values.push(valuesOf(variable)[0]!);
      };
      step();
      optimizer[name] = 0.25;
      rates.push(0.25);
      step();
      optimizer[name] = (iterations) => 2 ** -iterations;
      rates.push(2 ** -2);
      step();
      const expected = new RMSprop({ w: [1] }, { ...dialects.tfjs, lr: (step) => rates[step]! });
      expected.grads.w[0] = 1;
      for (const value of values) {
        expected.step();
        expect(value).toBe(expected.params.w[0]);
      }
      expect(optimizer.getConfig().learningRate).toBe(2 ** -3);
      for (const used of [variable, optimizer, gradient]) used.dispose();
    });
  });

  it("takes the backend's epsilon, as tf.js does, unless it's given one", async () => {
    tf.registerBackend("half", () => {
      const backend = tf.findBackendFactory("cpu")() as ReturnType<typeof tf.backend>;
      return Object.assign(backend, { epsilon: () => 1e-4 });
    });
    tf.copyRegisteredKernels("cpu", "half");
    await tf.setBackend("half");
    const given = rmsprop({ lr: 1, eps: 0.5 });
    const left = rmsprop({ lr: 1 });
    train(tf, given, [0], [[1]]);
    expect(train(tf, left, [0], [[1]])[0]).toBe(
      -Math.fround(1 / Math.fround(Math.sqrt(Math.fround(0.1 + 1e-4)))),
    );
    expect(given.getConfig().epsilon).toBe(0.5);
    expect(left.getConfig().epsilon).toBe(tf.train.rmsprop(1).getConfig().epsilon);
  });
});

const flag = fc.boolean();
const share = fc.double({ min: 0, max: 0.999, noNaN: true });
const small = fc.double({ min: 1e-6, max: 0.1, noNaN: true });
/** All that isn't measured by a norm, in any combination that is allowed. */
const anyOptions = fc
  .record(
    {
      lr: fc.oneof(
        small,
        small.map((lr) => (step: number) => lr / (1 + step)),
      ),
      alpha: share,
      eps: small,
      epsInsideSqrt: flag,
      weightDecay: small,
      decoupledWeightDecay: flag,
      momentum: share,
      lrInMomentum: flag,
      nesterov: flag,
      centered: flag,
      biasCorrection: flag,
      initialSquareAvg: small,
      clipValue: small,
      maximize: flag,
      scheduleFree: fc.record(
        {
          beta: fc.double({ min: 0.01, max: 1, noNaN: true }),
          warmupSteps: fc.nat(4),
          r: fc.constantFrom(0, 0.5, 2),
          weightLrPower: fc.constantFrom(0, 1.5, 2),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  )
  .filter(({ nesterov, momentum }) => !nesterov || (momentum ?? 0) > 0);
const anyNorm = fc.oneof(
  fc.constant({}),
  fc.record({ clipNorm: small }),
  fc.record({ globalClipNorm: small }),
);
/** Elements of each variable: a few, or more than are copied at a time. */
const anyCounts = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 70 }) },
    fc.integer({ min: 16_383, max: 16_387 }),
  ),
  { minLength: 1, maxLength: 3 },
);
