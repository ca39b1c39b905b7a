/** Steps by rows beside TensorFlow's sparse kernels and FBGEMM: the same rows and gradients, in no order, some repeated. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Backend, dialects, type Options, RMSprop } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { optionsOfCall } from "./arguments.ts";
import { distance, expectNoFarther } from "./distance.ts";
import { parameters, STEPS } from "./inputs.ts";
import { batch, occurrences, ROWS, type RowsCase, readRows, WIDTH } from "./rows.ts";
import { manifest as pinned } from "./vectors.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
/**
 * The distance of averages from float64, times the framework's. 0.12 to 0.55 was measured for TensorFlow's kernels and 0.12 to
 * 0.65 for FBGEMM, which multiply by alpha and 1 - alpha, rounded apart; up to 0.87 for TensorFlow's optimizer, whose float32
 * alpha and 1 - alpha add up to 1.
 */
function limitOf({ call }: RowsCase): number {
  return { RMSPropOptimizer: 0.9, ROWWISE_RMSPROP_AR: 0.7 }[call] ?? 0.6;
}

/** The packages of a file of requirements. */
function pinnedIn(name: string): Record<string, string> {
  const lines = readFileSync(new URL(name, import.meta.url), "utf8").matchAll(/^([\w-]+)==(\S+)$/gm);
  return Object.fromEntries([...lines].map(([, name, version]) => [name, version]));
}

describe.each([
  { framework: "tensorflow", versions: { "tensorflow-cpu": pinned.requirements["tensorflow-cpu"] } },
  { framework: "fbgemm", versions: pinnedIn("requirements-fbgemm.txt") },
])("$framework", ({ framework, versions }) => {
  const { manifest, binary, at } = readRows(framework);

  it("has been given these rows, and is of the versions that are pinned", () => {
    const lists = Uint32Array.from(Array.from({ length: STEPS }, (_, step) => occurrences(step)).flat());
    expect(sha256(new Uint8Array(lists.buffer))).toBe(manifest.lists);
    expect(sha256(binary)).toBe(manifest.binary);
    expect(manifest.versions).toEqual(versions);
    const repeated = lists.filter((row, i) => lists.indexOf(row, i - (i % 40)) < i);
    expect(repeated.length).toBeGreaterThan(STEPS);
  });

  it.each(manifest.cases.map((one) => [`${one.call}(${JSON.stringify(one.given)})`, one] as const))(
    "%s: lazy rows are as near to float64",
    (_, one) => {
      const ours = train("wasm", one);
      expect(train("js", one)).toEqual(ours);
      // Averages span 40 octaves: their distance is told relative to v, or to its root.
      const v = at(one.results.squareAvg!).double;
      const scales = { squareAvg: (i: number) => v[i] || 1, gradAvg: (i: number) => Math.sqrt(v[i]!) || 1 };
      for (const plane of ["param", "squareAvg", "gradAvg"] as const) {
        if (!one.results[plane]) continue;
        const { single, double } = at(one.results[plane]);
        const [measured, theirs] = [ours[plane]!, single].map((values) =>
          distance(values, double, [...double.keys()], plane === "param" ? undefined : scales[plane]),
        );
        if (plane === "param") expectNoFarther(measured!, theirs!);
        else expect(measured!.rms).toBeLessThanOrEqual(limitOf(one) * theirs!.rms);
      }
    },
  );
});

/** Parameters and averages after all steps, where rows are lazy. */
function train(backend: Backend, { call, given }: RowsCase): Readonly<Record<string, Float32Array>> {
  const isFbgemm = call === "ROWWISE_RMSPROP_AR";
  const options: Options = {
    ...(isFbgemm ? { rowwiseState: true } : dialects.tensorflow1),
    ...optionsOfCall(call, given),
    backend,
    sparse: "lazy",
  };
  if (call.includes("Centered")) options.centered = true;
  // Its optimizer has float32 of all hyperparameters, also where it computes in float64.
  if (call === "RMSPropOptimizer") options.alpha = Math.fround(options.alpha!);
  const optimizer = new RMSprop({ e: { shape: [ROWS, WIDTH], values: parameters() } }, options);
  expect(optimizer.backend).toBe(backend);
  for (let step = 0; step < STEPS; step++) {
    const given = batch(step);
    if (call === "RMSPropOptimizer" || isFbgemm) {
      optimizer.grads.e.fill(0);
      for (const { row, grad } of given) {
        for (const [i, value] of grad.entries()) optimizer.grads.e[row * WIDTH + i]! += value;
      }
      optimizer.step({ rows: { e: given.map(({ row }) => row) } });
      continue;
    }
    // The kernel takes a repetition for another step.
    for (let time = 0; ; time++) {
      const named = given.filter(({ repetition }) => repetition === time);
      if (named.length === 0) break;
      for (const { row, grad } of named) optimizer.grads.e.set(grad, row * WIDTH);
      optimizer.step({ rows: { e: named.map(({ row }) => row) } });
    }
  }
  const { param, squareAvg, gradAvg } = optimizer.stateDict().tensors.e;
  return { param: param.slice(), squareAvg, ...(gradAvg && { gradAvg }) };
}
