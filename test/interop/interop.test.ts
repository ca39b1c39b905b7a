/** Checkpoints in the frameworks themselves: there and back, and what standard tools make of the files. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dialects, type Options, RMSprop } from "rmsprop-wasm";
import { load, restore, restoreLeRobot, save, saveLeRobot } from "rmsprop-wasm/checkpoint";
import { expect, it } from "vitest";
import { farthest, stayHere, travel, travelWithWeightsAlone } from "../../examples/cluster/journey.ts";
import { loadMnist } from "../../examples/mnist/data.ts";
import { findPython } from "../../tools/python.mjs";
import { STEPS } from "../golden/inputs.ts";
import { describeWith } from "../support/required.ts";
import { exactly } from "../support/runs.ts";
import { fresh, HALF, loaded, testHalves, train } from "./halves.ts";
import { at, type Job, required, run } from "./python.ts";

describeWith(required("torch", "safetensors", "numpy"), "PyTorch", () => {
  const halves = testHalves("pytorch", "pytorch_jobs.py", 14);
  const [, { one, name }] = halves.find(([id]) =>
    id.includes("momentum=0.9, centered=True, weight_decay=0.01"),
  )!;

  it("goes on by its own functions for flattened state, and we from what they give", () => {
    run("pytorch_jobs.py", [
      ["train_by_names", { source: at(`${name}-here`), target: at("by-names"), start: HALF, end: STEPS }],
    ]);
    const optimizer = fresh({});
    restore(optimizer, readFileSync(at("by-names")));
    const expected = loaded(`${name}-here-there`).stateDict();
    expect(exactly(optimizer.stateDict())).toEqual(
      exactly({ ...expected, options: optimizer.stateDict().options }),
    );
  });

  it("keeps averages of the weights going, from the first step on", () => {
    const decay = 0.75;
    const options = { lr: 0.01, ema: { decay } };
    const optimizer = fresh(options);
    for (const steps of [0, 30]) {
      train(optimizer, optimizer.steps, steps);
      const before = optimizer.stateDict().tensors;
      writeFileSync(at("averages"), save(optimizer));
      const job = { source: at("averages"), target: at("averages-there"), start: steps, end: steps + 1 };
      run("pytorch_jobs.py", [["train", job]]);
      const after = loaded("averages-there");
      for (const name of ["first", "second"] as const) {
        const [old, param] = [before[name].ema!, after.params[name]];
        const expected = old.map((value, i) =>
          steps === 0 ? param[i]! : value + (1 - decay) * (param[i]! - value),
        );
        after.ema[name].forEach((value, i) => {
          expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(2 ** -22 * Math.abs(expected[i]!));
        });
      }
      expect(after.stateDict().options).toMatchObject({ ema: { decay } });
    }
  });

  it("doesn't go on where it would compute something else", () => {
    for (const options of [
      { epsInsideSqrt: true },
      { momentum: 0.9, nesterov: true },
      { biasCorrection: true },
    ]) {
      writeFileSync(at("foreign"), save(fresh(options)));
      const job = { source: at("foreign"), target: at("nowhere"), start: 0, end: 1 };
      expect(() => run("pytorch_jobs.py", [["train", job]])).toThrow(
        "which torch.optim.RMSprop doesn't have",
      );
    }
  });

  it("is two processes in the middle of a run, and the curve has no seam", async () => {
    const { train } = loadMnist();
    const stayed = stayHere(train);
    const { python } = findPython("torch", "safetensors")!;
    expect(farthest(await travel(train, python), stayed)).toBeLessThan(1e-4);
    // It would be seen: without the optimizer's state there are two.
    expect(farthest(travelWithWeightsAlone(train), stayed)).toBeGreaterThan(0.5);
  });

  it("finds in our files what we have put there", () => {
    const optimizer = new RMSprop({ w: [2, 3], b: Float32Array.of(NaN, -0), s: [] }, { centered: true });
    optimizer.grads.w.fill(0.1);
    optimizer.step();
    writeFileSync(at("ours"), save(optimizer));
    const [found] = run("pytorch_jobs.py", [["read", { source: at("ours") }]]) as [
      {
        metadata: Record<string, string>;
        tensors: Record<string, { shape: number[]; hex: string; value: number }>;
      },
    ];
    expect(Object.keys(found.tensors)).toHaveLength(12);
    for (const name of ["w", "b"] as const) {
      const { squareAvg, gradAvg } = optimizer.state[name];
      const arrays = { "": optimizer.params[name], square_avg: squareAvg, grad_avg: gradAvg };
      for (const [kind, values] of Object.entries(arrays)) {
        const key = kind ? `state.${name}.${kind}` : name;
        const shape = name === "w" ? [2, 3] : [2];
        expect(found.tensors[key]).toEqual({
          dtype: "torch.float32",
          shape,
          hex: exactly(values),
          value: null,
        });
      }
      expect(found.tensors[`state.${name}.step`]).toEqual({
        dtype: "torch.float32",
        shape: [],
        hex: null,
        value: 1,
      });
    }
    expect(found.metadata["param_groups.w.centered"]).toBe("true");
  });

  it("takes tables that were stepped by rows once they are up to date, and says what to do before", () => {
    const trained = (options: Options, isCaughtUp: boolean) => {
      const optimizer = new RMSprop({ e: [5, 3] }, options);
      for (const rows of [[1, 2], [2]]) {
        optimizer.grads.e.fill(1);
        optimizer.step({ rows: { e: rows } });
      }
      if (isCaughtUp) optimizer.catchUp();
      return optimizer;
    };
    const crew = [
      trained({}, true),
      trained({ sparse: "lazy", momentum: 0.5 }, false),
      trained({}, false),
      trained({ rowwiseState: true }, true),
    ];
    const jobs = crew.map((optimizer, i): Job => {
      writeFileSync(at(`table-${i}`), save(optimizer));
      return ["read_table", { source: at(`table-${i}`), target: at(`table-${i}-back`) }];
    });
    expect(run("pytorch_jobs.py", jobs)).toEqual([
      null,
      null,
      expect.stringMatching(/rows of e have missed steps.*catchUp\(\)/),
      expect.stringMatching(/rowwise_state/),
    ]);
    for (const [i, optimizer] of crew.slice(0, 2).entries()) {
      const back = load<"e">(readFileSync(at(`table-${i}-back`))).stateDict();
      const { rowSteps, ...others } = optimizer.stateDict().tensors.e;
      expect(exactly({ ...back.tensors.e, rowSteps: undefined })).toEqual(
        exactly({ ...others, rowSteps: undefined }),
      );
      expect(back.groups).toEqual(optimizer.stateDict().groups);
    }
  });

  it("writes every number of 16 bits, and doubles, which we read as it does", () => {
    const [hex] = run("pytorch_jobs.py", [["write_dtypes", { target: at("dtypes") }]]) as [string];
    const { params, state, steps } = load<"half" | "brain" | "double">(readFileSync(at("dtypes")));
    const expected = Buffer.from(hex, "hex");
    const names = ["half", "brain", "double"] as const;
    names.forEach((name, i) => {
      const differ = params[name].findIndex(
        (value, j) => !Object.is(value, expected.readFloatLE(4 * (i * 2 ** 16 + j))),
      );
      expect(differ, name).toBe(-1);
      expect(params[name]).toHaveLength(2 ** 16);
    });
    expect(expected.length).toBe(4 * names.length * 2 ** 16);
    // An infinite average would stay so, and its element would never move again.
    const largest = (2 - 2 ** -23) * 2 ** 127;
    const differ = state.brain.squareAvg.findIndex(
      (value, i) => !Object.is(value, Math.min(params.brain[i]!, largest)),
    );
    expect(differ).toBe(-1);
    expect(steps).toBe(3);
  });

  describeWith(required("torch", "lerobot"), "LeRobot", () => {
    it("goes on from our files, and we from its", () => {
      const given = {
        lr: 0.001,
        momentum: 0.9,
        centered: true,
        weight_decay: 0.01,
        alpha: 0.99,
        eps: 1e-8,
      };
      const { lr, momentum, centered, weight_decay: weightDecay } = given;
      const here = fresh({ lr, momentum, centered, weightDecay });
      train(here, 0, HALF);
      for (const name of ["lerobot-here", "lerobot-there"]) mkdirSync(at(name));
      for (const [name, file] of Object.entries(saveLeRobot(here)))
        writeFileSync(join(at("lerobot-here"), name), file!);
      run("pytorch_jobs.py", [
        [
          "train_by_lerobot",
          {
            source: at("lerobot-here"),
            target: at("lerobot-there"),
            start: HALF,
            end: STEPS,
            arguments: given,
          },
        ],
      ]);
      const read = (name: string) => readFileSync(join(at("lerobot-there"), name));
      const back = fresh({});
      restoreLeRobot(back, {
        "optimizer_state.safetensors": read("optimizer_state.safetensors"),
        "optimizer_param_groups.json": read("optimizer_param_groups.json").toString(),
        "model.safetensors": read("model.safetensors"),
      });
      const expected = loaded(`${name}-here-there`).stateDict();
      expect(exactly(back.stateDict())).toEqual(exactly({ ...expected, options: back.stateDict().options }));
      expect(one.options).toMatchObject({ lr, momentum, centered, weightDecay });
    });
  });
});

describeWith(required("keras", "torch", "safetensors"), "Keras", () => {
  testHalves("keras-torch", "keras_jobs.py", 9);

  it("brings back what it has no use for", () => {
    const optimizer = new RMSprop(
      { "net/dense/kernel": [3, 2], "net/dense/bias": [2] },
      { ...dialects.keras, lr: 0.003, clipNorm: 3, nonFinite: "skip", momentum: 0.5 },
    );
    optimizer.grads["net/dense/kernel"].fill(1);
    optimizer.step();
    optimizer.grads["net/dense/kernel"].fill(NaN);
    optimizer.step();
    writeFileSync(at("keras-ours"), save(optimizer));
    const [paths] = run("keras_jobs.py", [
      ["read_back", { source: at("keras-ours"), target: at("keras-back") }],
    ]);
    expect(paths).toEqual(["net/dense/kernel", "net/dense/bias"]);
    const back = load(readFileSync(at("keras-back")));
    expect(exactly(back.stateDict())).toEqual(exactly(optimizer.stateDict()));
  });

  it("refuses runs that Keras would go on with otherwise", () => {
    const shapes = { "net/dense/kernel": [3, 2], "net/dense/bias": [2] };
    const cases: [options: Options, said: RegExp][] = [
      [{ scheduleFree: true }, /has scheduleFree, which Keras doesn't have/],
      [{ lr: "auto" }, /has a learned rate/],
      [{ rowwiseState: true }, /rowwise_state/],
      [{ epsInsideSqrt: false }, /eps_inside_sqrt/],
    ];
    const jobs = cases.map(([options], i): Job => {
      const optimizer = new RMSprop(shapes, { ...dialects.keras, momentum: 0, ...options });
      optimizer.step();
      writeFileSync(at(`keras-refused-${i}`), save(optimizer));
      return ["refusal", { source: at(`keras-refused-${i}`) }];
    });
    expect(run("keras_jobs.py", jobs)).toEqual(cases.map(([, said]) => expect.stringMatching(said)));
  });
});
