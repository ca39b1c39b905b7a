/** Bad use of the drop-in gets an error that says what is wrong, and changes nothing. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { describeDropIn, onEachBackend } from "../support/drop-in.ts";
import { type DropIn, type Tensor, type Variable, valuesOf, variableOf } from "./installed.ts";

type Optimizer = ReturnType<DropIn["rmsprop"]>;
type NamedTensors = Awaited<ReturnType<Optimizer["getWeights"]>>;

describeDropIn(({ tf, dropIn }) => {
  onEachBackend(tf, () => {
    let optimizer: Optimizer;
    let variables: Variable[];
    let w: Tensor;
    let b: Tensor;
    beforeEach(() => {
      optimizer = dropIn.rmsprop({ lr: 0.1 });
      variables = [variableOf(tf, [1, 2], "w"), variableOf(tf, [3], "b")];
      [w, b] = [tf.ones([2]), tf.ones([1])];
      optimizer.applyGradients({ w, b });
    });
    afterEach(() => {
      tf.disposeVariables();
      optimizer.dispose();
      tf.dispose([w, b]);
    });

    /** All that a step could change. */
    async function everything() {
      const weights = (await optimizer.getWeights()).map(({ name, tensor }) => [name, valuesOf(tensor)]);
      return { weights, values: variables.map(valuesOf), tensors: tf.memory().numTensors };
    }

    async function expectRefusal(act: () => void | Promise<void>, error: keyof DropIn, message: RegExp) {
      const before = await everything();
      const failed = await (async () => act())().then(
        () => undefined,
        (reason) => reason,
      );
      expect(failed).toBeInstanceOf(dropIn[error]);
      expect(failed.message).toMatch(message);
      expect(await everything()).toEqual(before);
    }

    it.each<[string, () => unknown, RegExp]>([
      [
        "of another shape",
        () => tf.ones([1, 2]),
        /gradient of variable "w" is of float32 and shape \[1, 2\], .* shape \[2\]/,
      ],
      ["that broadcasts to another shape", () => tf.ones([2, 1]), /shape \[2, 1\], expected .* shape \[2\]/],
      ["of another dtype", () => tf.ones([2], "bool"), /is of bool and shape \[2\]/],
      ["that is disposed of", () => disposed(tf.ones([2])), /is disposed of/],
      ["that is no tensor", () => Float32Array.of(1, 2), /is a Float32Array, expected a tensor/],
    ])("refuses a gradient %s", async (_, make, message) => {
      const wrong = make() as Tensor;
      await expectRefusal(() => optimizer.applyGradients({ b, w: wrong }), "ParameterError", message);
      const list = [
        { name: "b", tensor: b },
        { name: "w", tensor: wrong },
      ];
      await expectRefusal(() => optimizer.applyGradients(list), "ParameterError", message);
      if (wrong && "dispose" in wrong) wrong.dispose();
    });

    it("refuses a gradient of a variable that isn't there", async () => {
      const message = /no variable "other"/;
      await expectRefusal(() => optimizer.applyGradients({ b, other: w }), "ParameterError", message);
      variables[0]!.dispose();
      variables.shift();
      await expectRefusal(() => optimizer.applyGradients({ b, w }), "ParameterError", /no variable "w"/);
    });

    it("refuses a variable of another dtype", async () => {
      const initial = tf.tensor1d([1], "int32");
      tf.variable(initial, true, "whole");
      const message = /"whole" is int32: only float32/;
      await expectRefusal(() => optimizer.applyGradients({ b, whole: initial }), "ParameterError", message);
      initial.dispose();
    });

    it.each([undefined, null, 1, "w", new Map([["w", 1]]), new Date()])(
      "refuses %o for gradients",
      async (gradients) => {
        const act = () => optimizer.applyGradients(gradients as unknown as Record<string, Tensor>);
        await expectRefusal(
          act,
          "ParameterError",
          /got .*, expected { \[variable.name\]: gradient } or a list/,
        );
      },
    );

    it("refuses a list of gradients without names", async () => {
      for (const list of [[undefined], [null], ["w"], [{ tensor: w }]]) {
        const act = () => optimizer.applyGradients(list as never);
        await expectRefusal(act, "ParameterError", /no variable undefined/);
      }
    });

    it.each(["momentum", "decay", "epsilon", "alpha", "globalClipNorm", "scheduleFree"])(
      "refuses an assignment of %s, which no step would read",
      async (name) => {
        const assign = () => {
          Object.assign(optimizer, { [name]: 0.5 });
        };
        await expectRefusal(
          assign,
          "OptionError",
          new RegExp(`optimizer.${name} can't be assigned: make a new`),
        );
        class Own extends dropIn.RMSPropOptimizer {
          momentum = 3; // a field of a subclass
        }
        expect(new Own().momentum).toBe(3);
      },
    );

    it.each([3, 0, NaN, "", "w", { w: 1 }, [null], [3]])(
      "refuses %o for variables of state",
      async (given) => {
        const weights = await optimizer.getWeights();
        const act = () => optimizer.setWeights(weights, given as never);
        await expectRefusal(act, "ParameterError", /no variable undefined|optimizer is given 0/);
      },
    );

    it("refuses a rate that isn't one, from a schedule too", async () => {
      const assign = (value: unknown) => () => {
        optimizer.lr = value as number;
      };
      await expectRefusal(assign(-1), "OptionError", /Option lr: got -1/);
      await expectRefusal(assign("0.1"), "OptionError", /Option lr: got "0.1"/);
      expect(optimizer.lr).toBe(0.1);
      optimizer.lr = () => Number.NaN;
      // getConfig asks the schedule too.
      await expectRefusal(
        () => optimizer.applyGradients({ w, b }),
        "OptionError",
        /schedule gave NaN at step 1/,
      );
      expect(() => optimizer.getConfig()).toThrow(/schedule gave NaN/);
    });

    it("leaves nothing of a minimize that failed", async () => {
      optimizer.lr = () => Number.NaN;
      const loss = () => tf.sum(tf.square(variables[0]!)) as ReturnType<typeof tf.scalar>;
      const minimize = () => {
        optimizer.minimize(loss, true, [variables[0]!]);
      };
      await expectRefusal(minimize, "OptionError", /schedule gave NaN/);
    });

    it.each<[string, (weights: NamedTensors) => unknown, RegExp]>([
      ["nothing", () => [], /start with undefined/],
      ["no list", () => undefined, /start with undefined/],
      [
        "no count of iterations",
        (weights) => weights.slice(1),
        /start with "w\/rms", expected one number named "iter"/,
      ],
      [
        "a count without a tensor",
        ([, ...rest]) => [{ name: "iter" }, ...rest],
        /start with "iter", expected one number/,
      ],
      [
        "an entry that is nothing",
        ([iter, , ...rest]) => [iter, null, ...rest],
        /got 4 beside "iter", of 1 var/,
      ],
      [
        "no tensor",
        ([iter, , ...rest]) => [iter, { name: "w/rms" }, ...rest],
        /got 4 beside "iter", of 2 var/,
      ],
      ["one too few", (weights) => weights.slice(0, -1), /got 3 beside "iter", of 2 variables/],
      ["one too many", (weights) => [...weights, weights[1]], /got 5 beside "iter"/],
      [
        "those of a centered optimizer",
        (weights) => [...weights, renamed(weights[1]!, "w/mg"), renamed(weights[2]!, "b/mg")],
        /got 6 beside "iter", .* this optimizer is not centered/,
      ],
      [
        "planes of two shapes",
        ([iter, , ...rest]) => [iter, { name: "w/rms", tensor: rest[0]!.tensor }, ...rest],
        /state of "w" is float32 of shape \[2\], expected float32 of shape \[1\]/,
      ],
      [
        "another dtype",
        ([iter, rms, ...rest]) => [iter, { name: "w/rms", tensor: tf.cast(rms!.tensor, "int32") }, ...rest],
        /state of "w" is int32/,
      ],
      [
        "tensors that are disposed of",
        ([iter, rms, ...rest]) => [iter, { name: "w/rms", tensor: disposed(tf.clone(rms!.tensor)) }, ...rest],
        /state of "w" is disposed of/,
      ],
      [
        "state of another shape than its variable",
        (weights) =>
          weights.map((weight, i) => ({
            name: weight.name,
            tensor: weights[i && ((i - 1) ^ 1) + 1]!.tensor,
          })),
        /loaded state of "w" has shape \[1\], but variable "w" has \[2\]/,
      ],
      [
        "state of another number of variables",
        ([iter, ...rest]) => [
          iter,
          ...rest.flatMap((weight) =>
            weight.name.startsWith("w") ? [renamed(weight, weight.name.replace("w", "other"))] : [],
          ),
        ],
        /loaded state is of 1 variables \(other\), but the optimizer is given 2: w, b/,
      ],
    ])("refuses for weights %s", async (_, change, message) => {
      const given = change(await optimizer.getWeights()) as NamedTensors;
      const tensors = (given ?? []).flatMap((one) => one?.tensor ?? []);
      const made = tensors.filter((tensor) => !("assign" in tensor));
      await expectRefusal(() => optimizer.setWeights(given), "ParameterError", message);
      tf.dispose(made);
    });

    it("refuses at the first step state that no variable of it can have", async () => {
      const loaded = dropIn.rmsprop({ lr: 0.1 });
      await loaded.setWeights(await optimizer.getWeights());
      const stranger = variableOf(tf, [1, 2, 3], "stranger");
      const gradient = tf.ones([3]);
      const before = tf.memory().numTensors;
      expect(() => loaded.applyGradients({ stranger: gradient })).toThrow(
        /loaded state is of 2 variables \(w, b\), but the optimizer is given 1: stranger/,
      );
      expect([...valuesOf(stranger)]).toEqual([1, 2, 3]);
      expect(tf.memory().numTensors).toBe(before);
      expect(loaded.iterations).toBe(1);
      tf.dispose(gradient);
      loaded.dispose();
    });

    it("keeps nothing of weights that come in after it's disposed of", async () => {
      const loaded = dropIn.rmsprop();
      const weights = await optimizer.getWeights();
      const before = tf.memory().numTensors;
      const loading = loaded.setWeights(weights);
      loaded.dispose();
      await expect(loading).rejects.toThrow(dropIn.DisposedError);
      expect(tf.memory().numTensors).toBe(before);
    });

    it("refuses everything once it's disposed of, which can be done twice", async () => {
      const weights = await optimizer.getWeights();
      optimizer.dispose();
      optimizer.dispose();
      const message = /was disposed of/;
      expect(() => optimizer.applyGradients({ w, b })).toThrow(message);
      await expect(optimizer.getWeights()).rejects.toThrow(message);
      await expect(optimizer.setWeights(weights)).rejects.toThrow(dropIn.DisposedError);
      expect(valuesOf(variables[1]!)[0]).toBeLessThan(3);
    });
  });

  it.each<[unknown, RegExp]>([
    [1e-3, /rmsprop: got 0.001, expected one object: { lr: 0.001 }/],
    ["0.001", /got "0.001", expected an object such as { lr: 1e-3 }/],
    [null, /got null, expected an object/],
    [{ learningRate: 1e-3 }, /Unknown option "learningRate": did you mean "lr"/],
    [{ globalclipnorm: 1 }, /did you mean "globalClipNorm"/],
    [{ ema: { decay: 0.9 } }, /Option ema is one of rmsprop-wasm itself/],
    [{ scheduleFree: true, ema: { decay: 0.9 } }, /Option ema is one of rmsprop-wasm itself/],
    [{ lr: "auto" }, /lr: "auto" is one of rmsprop-wasm itself/],
    [{ sparse: "lazy" }, /Option sparse is one of rmsprop-wasm itself/],
    [{ rowwiseState: true }, /Option rowwiseState is one of rmsprop-wasm itself/],
    [{ scheduleFree: 1 }, /Option scheduleFree: got 1, expected true, or an object of beta/],
    [{ scheduleFree: { beta: 0 } }, /Option beta: got 0, expected a number above 0, to 1 \(default 0.9\)/],
    [{ scheduleFree: { warmup: 3 } }, /Unknown option "warmup": did you mean "warmupSteps"/],
    [
      { lr: "1" },
      /expected a number from 0 up, finite, or a function of the step that gives one \(default 0.001\)/,
    ],
    [{ alpha: 2 }, /Option alpha: got 2, expected a number from 0 to 1 \(default 0.9\)/],
    [{ lr: -1 }, /Option lr: got -1, .* \(default 0.001\)/],
    [{ eps: 0 }, /Option eps: got 0, .* \(default 1e-7\)/],
    [{ epsInsideSqrt: 1 }, /Option epsInsideSqrt: got 1, expected true or false \(default true\)/],
    [{ nesterov: true }, /set momentum above 0/],
    [{ clipNorm: 1, globalClipNorm: 1 }, /both scale the gradient/],
  ])("refuses %o for options", (options, message) => {
    expect(() => dropIn.rmsprop(options as object)).toThrow(dropIn.OptionError);
    expect(() => dropIn.rmsprop(options as object)).toThrow(message);
  });

  it("refuses arguments by position, and says how to write them", () => {
    const make = dropIn.rmsprop as (...given: unknown[]) => Optimizer;
    const message =
      /rmsprop: got 0.01, 0.9, 0, null, true, expected one object: { lr: 0.01, alpha: 0.9, momentum: 0, centered: true }/;
    expect(() => make(0.01, 0.9, 0, null, true)).toThrow(message);
    expect(() => make({ lr: 0.01 }, undefined, 0.5)).toThrow(
      /expected one object: { lr: 0.01, momentum: 0.5 }/,
    );
    expect(make(undefined, undefined).lr).toBe(1e-3);
    const { RMSPropOptimizer, ScheduleFreeRMSProp } = dropIn;
    expect(() => Reflect.construct(ScheduleFreeRMSProp, [{}, 0.9])).toThrow(
      /expected one object: { alpha: 0.9 }/,
    );
    for (const config of [undefined, null, 0.1, new Map()]) {
      const call = () => RMSPropOptimizer.fromConfig(RMSPropOptimizer, config as never);
      expect(call).toThrow(/config: got .*, expected an object such as { learningRate: 1e-3 }/);
    }
  });

  it("refuses to start before a backend is ready", async () => {
    await tf.setBackend("cpu");
    const variable = variableOf(tf, [1], "early");
    const early = tf.ones([1]);
    const optimizer = dropIn.rmsprop();
    const weights = await optimizer.getWeights();
    const real = tf.backend();
    let finish = (_: typeof real) => {};
    tf.registerBackend("slow", () => new Promise((resolve) => (finish = resolve)));
    const ready = tf.setBackend("slow");
    const message = /no backend ready: `await tf.ready\(\)` first/;
    expect(() => optimizer.applyGradients({ early })).toThrow(dropIn.BackendError);
    expect(() => optimizer.applyGradients({ early })).toThrow(message);
    await expect(optimizer.getWeights()).rejects.toThrow(message);
    await expect(optimizer.setWeights(weights)).rejects.toThrow(message);
    finish(real);
    await ready;
    await tf.setBackend("cpu");
    expect([...valuesOf(variable)]).toEqual([1]);
    optimizer.applyGradients({ early });
    expect(optimizer.iterations).toBe(1);
    for (const used of [variable, early, optimizer]) used.dispose();
  });
});

function disposed(tensor: Tensor): Tensor {
  tensor.dispose();
  return tensor;
}

function renamed({ tensor }: NamedTensors[number], name: string): NamedTensors[number] {
  return { name, tensor };
}
