/** The order in which state is written, and the ways to pair it with variables when it is read. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeDropIn } from "../support/drop-in.ts";
import { type DropIn, type LayersModel, type Tf, type Variable, valuesOf, variableOf } from "./installed.ts";

type ModelArtifacts = Parameters<Parameters<Tf["io"]["withSaveHandler"]>[0]>[0];
type Optimizer = ReturnType<DropIn["rmsprop"]>;

describeDropIn(({ tf, dropIn }) => {
  beforeEach(async () => {
    await tf.setBackend("cpu");
  });
  afterEach(() => {
    tf.serialization.registerClass(tf.RMSPropOptimizer);
    tf.disposeVariables();
  });

  const step = (optimizer: Optimizer, ...variables: Variable[]) =>
    tf.tidy(() =>
      optimizer.applyGradients(variables.map(({ name, size }) => ({ name, tensor: tf.range(1, size + 1) }))),
    );
  const namesOf = async (optimizer: Optimizer | LayersModel["optimizer"]) =>
    (await optimizer.getWeights()).map(({ name }) => name).filter((name) => name.endsWith("/rms"));

  it("writes state in the order in which variables were created, whatever the order in which it met them", async () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => variableOf(tf, [1, 2], name)) as [
      Variable,
      Variable,
      Variable,
    ];
    const optimizer = dropIn.rmsprop();
    step(optimizer, c);
    step(optimizer, b, a);
    expect(await namesOf(optimizer)).toEqual(["a/rms", "b/rms", "c/rms"]);
  });

  it.each([
    ["of variables that are there", () => {}],
    ["of variables that are gone", (variables: Variable[]) => variables[0]!.dispose()],
  ])("writes state that no variable has claimed in its place: %s", async (_, change) => {
    const variables = ["a", "b", "c"].map((name) => variableOf(tf, [1, 2], name));
    const first = dropIn.rmsprop();
    step(first, ...variables);
    const optimizer = dropIn.rmsprop();
    await optimizer.setWeights(await first.getWeights());
    change(variables);
    step(optimizer, variables[2]!, variables[1]!);
    expect(await namesOf(optimizer)).toEqual(["a/rms", "b/rms", "c/rms"]);
  });

  it("keeps the order of numbers, which other variables have come to bear", async () => {
    const variables = [variableOf(tf, [1]), variableOf(tf, [2])];
    const first = dropIn.rmsprop();
    step(first, ...variables);
    const swapped = (await first.getWeights()).map(({ name, tensor }) => {
      const [one, other] = variables.map((variable) => variable.name) as [string, string];
      return { name: name.replace(/^\d+/, (number) => (number === one ? other : one)), tensor };
    });
    const optimizer = dropIn.rmsprop();
    await optimizer.setWeights(swapped);
    expect(await namesOf(optimizer)).toEqual(
      swapped.map(({ name }) => name).filter((name) => name.endsWith("/rms")),
    );
  });

  const dense = (seed: number, units = 4) =>
    tf.layers.dense({ units, activation: "tanh", kernelInitializer: tf.initializers.glorotNormal({ seed }) });

  function compile(model: LayersModel, optimizer: LayersModel["optimizer"]): LayersModel {
    model.compile({ optimizer, loss: "meanSquaredError" });
    return model;
  }

  const trainFor = (model: LayersModel, epochs: number) => {
    const [x, y] = [1, 2].map((seed) => tf.randomNormal([16, 4], 0, 1, "float32", seed));
    return model.fit(x!, y!, { epochs, verbose: 0, shuffle: false });
  };

  async function save(model: LayersModel): Promise<ModelArtifacts> {
    let saved: ModelArtifacts | undefined;
    const handler = tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
    });
    await model.save(handler, { includeOptimizer: true });
    return saved!;
  }

  async function expectToContinueAlike(saved: LayersModel, loaded: LayersModel): Promise<void> {
    const before = saved.getWeights().map(valuesOf);
    await trainFor(saved, 1);
    await trainFor(loaded, 1);
    const expected = saved.getWeights().map(valuesOf);
    expect(expected).not.toEqual(before);
    const isOurs = loaded.optimizer.constructor === dropIn.RMSPropOptimizer;
    loaded.getWeights().forEach((weight, i) => {
      if (isOurs) expect(valuesOf(weight)).toEqual(expected[i]);
      else tf.test_util.expectArraysClose(valuesOf(weight), expected[i]!, 1e-6);
    });
  }

  describe.each([
    [
      "a chain",
      () => tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [4] }), dense(1), dense(2)] }),
    ],
    [
      "two towers, one built after the other",
      () => {
        const x = tf.input({ shape: [4] });
        const towers = [1, 3].map((seed) => dense(seed + 1).apply(dense(seed).apply(x)));
        return tf.model({ inputs: x, outputs: tf.layers.add().apply(towers as never) as never });
      },
    ],
  ])("for %s", (_, build) => {
    it.each(["this optimizer", "tf.js's own"])(
      "thawed and saved, the state is loaded by %s",
      async (loader) => {
        const model = build() as LayersModel;
        const body = model.layers.filter(({ weights }) => weights.length > 0).slice(0, -1);
        const optimizer = dropIn.rmsprop({ lr: 0.01 });
        for (const layer of body) layer.trainable = false;
        await trainFor(compile(model, optimizer), 3);
        for (const layer of body) layer.trainable = true;
        await trainFor(compile(model, optimizer), 3);
        expect(await namesOf(optimizer)).toEqual(model.trainableWeights.map(({ name }) => `${name}/rms`));
        const saved = await save(model);
        if (loader === "this optimizer") tf.serialization.registerClass(dropIn.RMSPropOptimizer);
        await expectToContinueAlike(model, await tf.loadLayersModel(tf.io.fromMemory(saved)));
      },
    );
  });

  describe("where a model was loaded a second time and half of it frozen", () => {
    async function loadAndFreeze() {
      const model = compile(
        tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [4] }), dense(1), dense(2)] }),
        dropIn.rmsprop({ lr: 0.01 }),
      );
      await trainFor(model, 3);
      tf.serialization.registerClass(dropIn.RMSPropOptimizer);
      const loaded = await tf.loadLayersModel(tf.io.fromMemory(await save(model)));
      const variables = loaded.trainableWeights;
      for (const one of [model, loaded]) {
        one.layers.find(({ weights }) => weights.length > 0)!.trainable = false;
        compile(one, one.optimizer);
      }
      return { model, loaded, variables, optimizer: loaded.optimizer as Optimizer };
    }

    it("says how to pair the state", async () => {
      const { loaded } = await loadAndFreeze();
      await expect(trainFor(loaded, 1)).rejects.toThrow(
        /state is of 4 variables .* given 2: .* `await optimizer.setWeights\(await optimizer.getWeights\(\), variables\)`/,
      );
    });

    it("pairs it with the variables that it is given, and writes it in their order", async () => {
      const { model, loaded, variables, optimizer } = await loadAndFreeze();
      await optimizer.setWeights(await optimizer.getWeights(), variables);
      await expectToContinueAlike(model, loaded);
      expect(await namesOf(optimizer)).toEqual(variables.map(({ name }) => `${name}/rms`));
    });

    it("refuses variables of another count or shape, or that aren't there", async () => {
      const { variables, optimizer } = await loadAndFreeze();
      const before = await namesOf(optimizer);
      const weights = await optimizer.getWeights();
      const pair = (others: readonly { name: string }[]) => optimizer.setWeights(weights, others);
      await expect(pair(variables.slice(1))).rejects.toThrow(/state is of 4 variables .* given 3/);
      await expect(pair([...variables].reverse())).rejects.toThrow(
        /has shape \[4, 4\], but variable .* has \[4\]/,
      );
      await expect(pair([{ name: "gone" }])).rejects.toThrow(/no variable "gone"/);
      expect(await namesOf(optimizer)).toEqual(before);
    });
  });
});
