/** The drop-in in Chromium: on tf.js's wasm backend with and without threads, on cpu, and on webgl. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { dialects, RMSprop } from "rmsprop-wasm";
import { expect, it } from "vitest";
import { packagesOfRivals } from "../../scripts/rivals.mjs";
import { chromium, type Files, openInChromium } from "../chromium.ts";
import { gradients, parameters } from "../golden/inputs.ts";
import { bits } from "../kernels.ts";
import { describeWith } from "../required.ts";
import { tfjs } from "./installed.ts";
import type { Report, Task } from "./page.ts";

const path = (url: URL) => fileURLToPath(url);
const task: Task = {
  backends: ["wasm", "cpu", "webgl"],
  lr: 0.01,
  momentum: 0.9,
  initial: [...parameters()],
  steps: Array.from({ length: 200 }, (_, step) => [...gradients("ordinary", step)]),
};

describeWith(chromium, "in Chromium", () => {
  describeWith(tfjs, "the drop-in for tf.js", () => {
    it.each([
      { title: "without threads", isolated: false },
      { title: "with its threads, on shared memory", isolated: true },
    ])("gives the bits of RMSprop, and tf.js's results, $title", async ({ isolated }) => {
      const report = (await openInChromium(await filesOf(), { isolated })) as Report;
      expect(report).toMatchObject({ warnings: [], isShared: isolated });
      expect(Object.keys(report.runs)).toEqual(task.backends);
      for (const [backend, { ours, theirs }] of Object.entries(report.runs)) {
        expect([ours.isInPlace, theirs.isInPlace]).toEqual([backend === "wasm", false]);
        expect([ours.kept, theirs.kept]).toEqual([0, 0]);
        // Two hundred steps of some 0.01, each rounded where tf.js rounds or one operation further.
        expectClose(ours.values, theirs.values, 1e-5);
        expectClose(ours.solution, theirs.solution, 1e-5);
        // A graphics card may round as it likes.
        if (backend !== "webgl") expect(bits(Float32Array.from(ours.values))).toEqual(bits(reference()));
      }
    });
  });
});

function reference(): Float32Array {
  const { lr, momentum, initial, steps } = task;
  const optimizer = new RMSprop({ w: Float32Array.from(initial) }, { ...dialects.tfjs, lr, momentum });
  for (const values of steps) {
    optimizer.grads.w.set(values);
    optimizer.step();
  }
  return optimizer.params.w;
}

function expectClose(values: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(values).toHaveLength(expected.length);
  const farthest = Math.max(...values.map((value, i) => Math.abs(value - expected[i]!)));
  expect(farthest).toBeLessThan(tolerance);
}

async function filesOf(): Promise<Files> {
  const { outputFiles } = await build({
    entryPoints: [path(new URL("page.ts", import.meta.url))],
    alias: { "rmsprop-wasm/tfjs": path(new URL("../../src/tfjs.ts", import.meta.url)) },
    nodePaths: [path(packagesOfRivals)],
    bundle: true,
    format: "esm",
    write: false,
  });
  const binaries = new URL("@tensorflow/tfjs-backend-wasm/dist/", packagesOfRivals);
  const names = readdirSync(binaries).filter((name) => name.endsWith(".wasm"));
  return {
    "/": { type: "text/html", body: '<!doctype html><script type="module" src="page.js"></script>' },
    "/page.js": { type: "text/javascript", body: outputFiles[0]!.text },
    "/task": { type: "application/json", body: JSON.stringify(task) },
    ...Object.fromEntries(
      names.map((name) => [
        `/${name}`,
        { type: "application/wasm", body: readFileSync(new URL(name, binaries)) },
      ]),
    ),
  };
}
