/** Models of tf.js's layers: trained, saved with their optimizer, and continued, here and there. */
import { readFileSync } from "node:fs";
import { dialects } from "rmsprop-wasm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeDropIn, onEachBackend } from "../support/drop-in.ts";
import { type DropIn, type LayersModel, type Tf, type Variable, valuesOf, variableOf } from "./installed.ts";

type ModelArtifacts = Parameters<Parameters<Tf["io"]["withSaveHandler"]>[0]>[0];
type Optimizer = LayersModel["optimizer"];

describeDropIn(({ tf, dropIn }) => {
  afterEach(() => {
    tf.serialization.registerClass(tf.RMSPropOptimizer);
    tf.disposeVariables();
  });

  const isOurs = (optimizer: Optimizer) => optimizer.constructor === dropIn.RMSPropOptimizer;

  function makeModel(optimizer: Optimizer): LayersModel {
    const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 4, inputShape: [3], activation: "tanh", kernelInitializer }),
        tf.layers.dense({ units: 2, kernelInitializer }),
      ],
    });
    model.compile({ optimizer, loss: "meanSquaredError" });
    return model;
  }

  const SAMPLES = Float32Array.from({ length: 8 * 5 }, (_, i) => Math.sin(i * i));

  async function trainFor(model: LayersModel, epochs: number): Promise<void> {
    const [x, y] = tf.split(tf.tensor2d(SAMPLES, [8, 5]), [3, 2], 1);
    await model.fit(x!, y!, { epochs, batchSize: 4, shuffle: false, verbose: 0 });
  }

  async function save(model: LayersModel): Promise<ModelArtifacts> {
    let saved: ModelArtifacts | undefined;
    const handler = tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
    });
    await model.save(handler, { includeOptimizer: true });
    // As it comes from a file.
    const { weightData, ...json } = saved!;
    return { ...JSON.parse(JSON.stringify(json)), weightData };
  }

  const load = (artifacts: ModelArtifacts) => tf.loadLayersModel(tf.io.fromMemory(artifacts));
  const weightsOf = (model: LayersModel) => model.getWeights().flatMap((weight) => [...valuesOf(weight)]);

  onEachBackend(tf, () => {
    it.each([
      {},
      { momentum: 0.9 },
      { centered: true, momentum: 0.5 },
      { biasCorrection: true, weightDecay: 1e-3, lr: 0.01 },
    ])("continues a saved model as if it had never been saved: %o", async (options) => {
      tf.serialization.registerClass(dropIn.RMSPropOptimizer);
      const uninterrupted = makeModel(dropIn.rmsprop(options));
      await trainFor(uninterrupted, 4);
      const first = makeModel(dropIn.rmsprop(options));
      await trainFor(first, 2);
      const loaded = await load(await save(first));
      expect(isOurs(loaded.optimizer)).toBe(true);
      expect(loaded.optimizer.iterations).toBe(4);
      await trainFor(loaded, 2);
      expect(weightsOf(loaded)).toEqual(weightsOf(uninterrupted));
    });

    it("continues what tf.train.rmsprop has saved, as tf.train.rmsprop does", async () => {
      const model = makeModel(tf.train.rmsprop(0.01, 0.8, 0.9, 1e-6));
      await trainFor(model, 3);
      const artifacts = await save(model);
      const theirs = await load(artifacts);
      tf.serialization.registerClass(dropIn.RMSPropOptimizer);
      const ours = await load(artifacts);
      expect([isOurs(theirs.optimizer), isOurs(ours.optimizer)]).toEqual([false, true]);
      await expectToContinueAlike(ours, theirs, model);
    });

    it("saves what tf.train.rmsprop continues", async () => {
      const options = { lr: 0.01, alpha: 0.8, momentum: 0.9, eps: 1e-6, globalClipNorm: 1e9 };
      const model = makeModel(dropIn.rmsprop(options));
      await trainFor(model, 3);
      const artifacts = await save(model);
      const theirs = await load(artifacts);
      expect(theirs.optimizer.getConfig()).toEqual({
        learningRate: 0.01,
        decay: 0.8,
        momentum: 0.9,
        epsilon: 1e-6,
        centered: false,
      });
      expect(isOurs(theirs.optimizer)).toBe(false);
      await expectToContinueAlike(model, theirs);
    });

    it("takes over from an optimizer of tf.js's in a program", async () => {
      const model = makeModel(tf.train.rmsprop(0.01, undefined, 0.9));
      await trainFor(model, 3);
      const artifacts = await save(model);
      const optimizer = dropIn.rmsprop({ lr: 0.01, momentum: 0.9 });
      await optimizer.setWeights(await model.optimizer.getWeights());
      model.compile({ optimizer, loss: "meanSquaredError" });
      await expectToContinueAlike(model, await load(artifacts));
    });

    /** The last differs from both by steps that only the state of the first three epochs explains. */
    async function expectToContinueAlike(ours: LayersModel, theirs: LayersModel, fresh?: LayersModel) {
      fresh?.compile({ optimizer: tf.train.rmsprop(0.01), loss: "meanSquaredError" });
      for (const model of fresh ? [ours, theirs, fresh] : [ours, theirs]) await trainFor(model, 2);
      expect(ours.optimizer.iterations).toBe(theirs.optimizer.iterations);
      // Ten steps of at most some 0.03 each, which round a dozen times.
      tf.test_util.expectArraysClose(weightsOf(ours), weightsOf(theirs), 1e-6);
      if (fresh)
        expect(() => tf.test_util.expectArraysClose(weightsOf(ours), weightsOf(fresh), 1e-3)).toThrow();
    }

    // Keras trained it for 20 steps, and on for 20 more; test/golden/tfjs_layers.py says how.
    it("continues a model that was trained in Python, as Keras does", async () => {
      const file = (name: string) => readFileSync(new URL(`../golden/tfjs-layers/${name}`, import.meta.url));
      const { weightsManifest, ...artifacts } = JSON.parse(file("model.json").toString());
      const { inputs, targets, weights } = JSON.parse(file("continued.json").toString());
      const paths: string[] = weightsManifest.flatMap((group: { paths: string[] }) => group.paths);
      const python = {
        ...artifacts,
        weightSpecs: weightsManifest.flatMap((group: { weights: object[] }) => group.weights),
        weightData: new Uint8Array(Buffer.concat(paths.map(file))).buffer,
      };

      tf.serialization.registerClass(dropIn.RMSPropOptimizer);
      const model = await load(python);
      const { learningRate, ...config } = model.optimizer.getConfig();
      const { alpha, eps } = dialects.keras;
      expect(config).toEqual({ decay: alpha, epsilon: eps, momentum: 0.5, centered: true });
      const stateless = await load(python);
      stateless.compile({
        optimizer: dropIn.rmsprop({
          ...dialects.keras,
          lr: learningRate as number,
          momentum: 0.5,
          centered: true,
        }),
        loss: "meanSquaredError",
      });
      for (const trained of [model, stateless]) {
        for (const [step, input] of inputs.entries()) {
          await trained.trainOnBatch(tf.tensor2d(input), tf.tensor2d(targets[step]));
        }
      }
      // Forward and backward passes of other libraries, through 20 steps.
      tf.test_util.expectArraysClose(weightsOf(model), weights.flat(2), 2e-6);
      expect(() => tf.test_util.expectArraysClose(weightsOf(stateless), weights.flat(2), 1e-2)).toThrow();
    });
  });

  describe("getWeights and setWeights", () => {
    beforeEach(async () => {
      await tf.setBackend("wasm");
    });

    const options = { lr: 0.1, momentum: 0.9, centered: true } as const;

    function step(optimizer: InstanceType<DropIn["RMSPropOptimizer"]>, ...variables: Variable[]): void {
      tf.tidy(() => {
        const gradients = variables.map(({ name, size }) => ({ name, tensor: tf.range(1, size + 1) }));
        optimizer.applyGradients(gradients);
      });
    }

    /** A variable's values after so many steps. */
    function stepped(values: number[], steps: number): Float32Array {
      const variable = variableOf(tf, values);
      const optimizer = dropIn.rmsprop(options);
      for (let n = 0; n < steps; n++) step(optimizer, variable);
      const result = valuesOf(variable);
      for (const used of [variable, optimizer]) used.dispose();
      return result;
    }

    /** A variable with the values, and an optimizer loaded with the state, that three steps have left of others. */
    async function resume(names: readonly (string | undefined)[], resumed = names) {
      const first = dropIn.rmsprop(options);
      const before = names.map((name, i) => variableOf(tf, [i + 1, 2], name));
      for (let n = 0; n < 3; n++) step(first, ...before);
      const optimizer = dropIn.rmsprop(options);
      await optimizer.setWeights(await first.getWeights());
      const values = before.map(valuesOf);
      for (const used of [first, ...before]) used.dispose();
      return { optimizer, variables: values.map((value, i) => variableOf(tf, value, resumed[i])) };
    }

    it("have tf.js's names and order", async () => {
      const variables = [variableOf(tf, [1], "w"), variableOf(tf, [2, 3], "b")];
      const optimizer = dropIn.rmsprop({ centered: true });
      const theirs = tf.train.rmsprop(0.01, undefined, undefined, undefined, true);
      for (const one of [optimizer, theirs]) {
        tf.tidy(() => one.applyGradients({ w: tf.ones([1]), b: tf.ones([2]) }));
      }
      const [ours, expected] = [await optimizer.getWeights(), await theirs.getWeights()];
      expect(ours.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
      expect(ours.map(({ tensor }) => [tensor.dtype, tensor.shape])).toEqual(
        expected.map(({ tensor }) => [tensor.dtype, tensor.shape]),
      );
      expect(ours[0]?.tensor.dataSync()[0]).toBe(1);
      for (const used of [...variables, optimizer, theirs]) used.dispose();
    });

    it.each([
      ["by name, in whatever order variables come", ["w", "b"], ["w", "b"]],
      ["in order, where a model loaded twice has other names", ["w", "b"], ["w_1", "b_1"]],
      ["in order, where tf.js has numbered the variables", [undefined, undefined], [undefined, undefined]],
      ["in order, where numbers have come to mean others", ["1001", "1002"], ["1002", "1003"]],
    ])("bring state back %s", async (way, names, resumed) => {
      const { optimizer, variables } = await resume(names, resumed);
      expect(optimizer.iterations).toBe(3);
      step(optimizer, ...(way.startsWith("by name") ? [...variables].reverse() : variables));
      expect(variables.map(valuesOf)).toEqual([stepped([1, 2], 4), stepped([2, 2], 4)]);
      for (const used of [optimizer, ...variables]) used.dispose();
    });

    it("bring state back to variables that come one by one, and give a new one its own", async () => {
      const { optimizer, variables } = await resume(["w", "b"]);
      const other = variableOf(tf, [5, 2], "other");
      step(optimizer, variables[1]!);
      step(optimizer, other);
      step(optimizer, variables[0]!);
      expect([...variables, other].map(valuesOf)).toEqual([
        stepped([1, 2], 4),
        stepped([2, 2], 4),
        stepped([5, 2], 1),
      ]);
      for (const used of [optimizer, other, ...variables]) used.dispose();
    });

    it("take a running optimizer back to an earlier state", async () => {
      const variable = variableOf(tf, [1, 2]);
      const optimizer = dropIn.rmsprop(options);
      for (let n = 0; n < 2; n++) step(optimizer, variable);
      const values = tf.tensor1d(valuesOf(variable));
      const state = (await optimizer.getWeights()).map(({ name, tensor }) => ({
        name,
        tensor: tf.clone(tensor),
      }));
      for (let n = 0; n < 5; n++) step(optimizer, variable);
      const before = tf.memory().numTensors;
      await optimizer.setWeights(state);
      expect(tf.memory().numTensors).toBe(before);
      variable.assign(values);
      expect(optimizer.iterations).toBe(2);
      step(optimizer, variable);
      expect(valuesOf(variable)).toEqual(stepped([1, 2], 3));
      for (const used of [variable, optimizer, values, ...state.map(({ tensor }) => tensor)]) used.dispose();
    });

    it("take their own tensors back", async () => {
      const variable = variableOf(tf, [1, 2]);
      const optimizer = dropIn.rmsprop(options);
      step(optimizer, variable);
      await optimizer.setWeights(await optimizer.getWeights());
      step(optimizer, variable);
      expect(valuesOf(variable)).toEqual(stepped([1, 2], 2));
      for (const used of [variable, optimizer]) used.dispose();
    });

    it("save what was loaded and not used yet", async () => {
      const { optimizer, variables } = await resume(["w", "b"]);
      const values = async () =>
        (await optimizer.getWeights()).map(({ name, tensor }) => [name, valuesOf(tensor)]);
      const loaded = await values();
      expect(loaded).toHaveLength(7);
      await optimizer.setWeights(await optimizer.getWeights());
      expect(await values()).toEqual(loaded);
      for (const used of [optimizer, ...variables]) used.dispose();
    });
  });

  describe("the config", () => {
    it("is tf.js's own where nothing else is set", async () => {
      await tf.setBackend("cpu");
      const { RMSPropOptimizer, rmsprop } = dropIn;
      expect(rmsprop({ lr: 0.1 }).getConfig()).toEqual(tf.train.rmsprop(0.1).getConfig());
      const theirs = tf.train.rmsprop(0.1, 0.5, 0.25, 1e-3, true).getConfig();
      expect(RMSPropOptimizer.fromConfig(RMSPropOptimizer, theirs).getConfig()).toEqual(theirs);
      expect(RMSPropOptimizer.className).toBe(tf.RMSPropOptimizer.className);
    });

    it("keeps every option", () => {
      const { RMSPropOptimizer, rmsprop } = dropIn;
      const all = {
        weightDecay: 0.1,
        decoupledWeightDecay: true,
        epsInsideSqrt: false,
        lrInMomentum: false,
        nesterov: true,
        biasCorrection: true,
        initialSquareAvg: 1,
        clipValue: 2,
        clipNorm: 3,
        maximize: true,
        nonFinite: "skip",
      } as const;
      const config = rmsprop({
        lr: 0.1,
        alpha: 0.8,
        momentum: 0.5,
        eps: 0.01,
        centered: true,
        ...all,
      }).getConfig();
      expect(config).toEqual({
        learningRate: 0.1,
        decay: 0.8,
        momentum: 0.5,
        epsilon: 0.01,
        centered: true,
        ...all,
      });
      const copy = JSON.parse(JSON.stringify(config));
      expect(RMSPropOptimizer.fromConfig(RMSPropOptimizer, copy).getConfig()).toEqual(config);
      expect(rmsprop({ globalClipNorm: 4 }).getConfig()).toMatchObject({ globalClipNorm: 4 });
    });
  });
});
