/** `scheduleFree` in the drop-in, saved and loaded: by weights, and by models of tf.js. */
import { afterEach, describe, expect, it } from "vitest";
import { describeDropIn, expectNothingLeft, onEachBackend } from "../support/drop-in.ts";
import { bits } from "../support/kernels.ts";
import { type LayersModel, type RMSPropOptions, type Tensor, type Variable, valuesOf } from "./installed.ts";
import { free, twins } from "./schedule-free-twins.ts";

describeDropIn(({ tf, dropIn }) => {
  const { rmsprop } = dropIn;
  type Optimizer = ReturnType<typeof rmsprop>;

  onEachBackend(tf, () => {
    expectNothingLeft(tf);

    const both = (options: RMSPropOptions, counts: number[]) => twins(dropIn, tf, options, counts);

    afterEach(() => {
      tf.disposeVariables();
    });

    const named = async (optimizer: Optimizer) => await optimizer.getWeights();

    it("goes on as if it had never been saved, to the bit", async () => {
      const { optimizer, variables, step, reference } = both(
        { scheduleFree: { r: 0.5 }, momentum: 0.5 },
        [5, 6],
      );
      for (let n = 0; n < 5; n++) step(n);
      const other = rmsprop({ scheduleFree: { r: 0.5 }, momentum: 0.5 });
      await other.setWeights(await named(optimizer));
      const gradients = { w0: tf.ones([5]), w1: tf.ones([6]) };
      other.applyGradients(gradients);
      const trained = variables.map(valuesOf);
      other.eval();
      const averages = variables.map(valuesOf);
      for (const grad of Object.values(reference.grads)) grad.fill(1);
      reference.step();
      expect(trained.map(bits)).toEqual([reference.params.w0!, reference.params.w1!].map(bits));
      reference.eval();
      variables.forEach((_, i) => {
        tf.test_util.expectArraysClose(averages[i]!, reference.params[`w${i}`]!, 1e-6);
      });
      free(optimizer, other, ...variables, ...Object.values(gradients));
    });

    it("is told from state without averages", async () => {
      const { optimizer, variables, step } = both({ scheduleFree: true }, [5]);
      step(0);
      const plain = rmsprop();
      const message = (wanted: string) => new RegExp(`expected ${wanted} scheduleFree`);
      await expect(plain.setWeights(await named(optimizer))).rejects.toThrow(
        message('"<variable>/rms", "<variable>/momentum" of each: .* without'),
      );
      await expect(optimizer.setWeights(await named(plain))).rejects.toThrow(
        message('"<variable>/rms", "<variable>/momentum", "<variable>/z" of each, and "weights": .* with'),
      );
      const wrong = (await named(optimizer)).map(({ name, tensor }) =>
        name === "weights" ? { name, tensor: tf.ones([4]) as Tensor } : { name, tensor },
      );
      await expect(optimizer.setWeights(wrong)).rejects.toThrow(
        /"weights" is float32 of shape \[4\], expected int32/,
      );
      free(optimizer, plain, ...variables, wrong.at(-1)!.tensor);
    });

    it("has no averages to show as long as nobody knows whose they are", async () => {
      const { optimizer, variables, step } = both({ scheduleFree: true }, [5]);
      step(0);
      step(1);
      const other = rmsprop({ scheduleFree: true });
      await other.setWeights(await named(optimizer));
      expect(() => other.eval()).toThrow(dropIn.ParameterError);
      expect(() => other.eval()).toThrow(/state of w0 waits for its variables/);
      await other.setWeights(await named(optimizer), variables);
      other.eval();
      const averages = valuesOf(variables[0]!);
      other.train();
      optimizer.eval();
      expect(valuesOf(variables[0]!)).toEqual(averages);
      free(optimizer, other, ...variables);
    });
  });

  describe("a model", () => {
    afterEach(() => {
      tf.serialization.registerClass(tf.RMSPropOptimizer);
      tf.disposeVariables();
    });

    const options = { scheduleFree: { r: 1, warmupSteps: 3 }, momentum: 0.5, lr: 0.05 };

    function makeModel(): LayersModel {
      const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
      const model = tf.sequential({
        layers: [tf.layers.dense({ units: 2, inputShape: [3], kernelInitializer })],
      });
      model.compile({ optimizer: rmsprop(options), loss: "meanSquaredError" });
      return model;
    }

    async function trainFor(model: LayersModel, epochs: number): Promise<void> {
      const x = tf.tensor2d(
        Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * i)),
        [8, 3],
      );
      const y = tf.tensor2d(
        Float32Array.from({ length: 16 }, (_, i) => Math.cos(i)),
        [8, 2],
      );
      await model.fit(x, y, { epochs, batchSize: 4, shuffle: false, verbose: 0 });
      tf.dispose([x, y]);
    }

    async function save(model: LayersModel) {
      let saved: Parameters<Parameters<typeof tf.io.withSaveHandler>[0]>[0] | undefined;
      const handler = tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
      });
      await model.save(handler, { includeOptimizer: true });
      const { weightData, ...json } = saved!;
      return tf.io.fromMemory({ ...JSON.parse(JSON.stringify(json)), weightData });
    }

    const weightsOf = (model: LayersModel) => model.getWeights().map(valuesOf);
    const optimizerOf = (model: LayersModel) => model.optimizer as unknown as Optimizer;

    it("is saved and loaded with its averages, by a class that tf.js has to be told of", async () => {
      await tf.setBackend("cpu");
      const uninterrupted = makeModel();
      await trainFor(uninterrupted, 4);
      const model = makeModel();
      await trainFor(model, 2);
      const file = await save(model);
      await expect(tf.loadLayersModel(file)).rejects.toThrow(
        /Unknown .*: ScheduleFreeRMSProp. .*registerClass/s,
      );
      tf.serialization.registerClass(dropIn.RMSPropOptimizer);
      await expect(tf.loadLayersModel(file)).rejects.toThrow(
        /Unknown .*: ScheduleFreeRMSProp. .*registerClass/s,
      );
      tf.serialization.registerClass(dropIn.ScheduleFreeRMSProp);
      const loaded = await tf.loadLayersModel(file);
      expect(loaded.optimizer).toBeInstanceOf(dropIn.ScheduleFreeRMSProp);
      expect(optimizerOf(loaded).getConfig()).toEqual(optimizerOf(model).getConfig());
      await trainFor(loaded, 2);
      expect(weightsOf(loaded)).toEqual(weightsOf(uninterrupted));
      for (const one of [loaded, uninterrupted]) optimizerOf(one).eval();
      expect(weightsOf(loaded)).toEqual(weightsOf(uninterrupted));
      const x = tf.ones([1, 3]);
      const predictions = [loaded, uninterrupted].map((one) => valuesOf(one.predict(x) as Variable));
      expect(predictions[0]).toEqual(predictions[1]);
    });

    it("isn't saved with its optimizer while averages stand in, but without it", async () => {
      await tf.setBackend("wasm");
      const model = makeModel();
      await trainFor(model, 2);
      optimizerOf(model).eval();
      await expect(save(model)).rejects.toThrow(dropIn.SwappedError);
      const averages = weightsOf(model);
      optimizerOf(model).train();
      expect(weightsOf(model)).not.toEqual(averages);
    });
  });
});
