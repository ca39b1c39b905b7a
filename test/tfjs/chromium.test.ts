/** The drop-in in Chromium: on tf.js's wasm backend with and without threads, on cpu, and on webgl. */
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dialects, RMSprop } from "rmsprop-wasm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { closeBrowsers } from "../../compat/browsers.ts";
import { peerModules } from "../../tools/tfjs.mjs";
import { gradients, parameters } from "../golden/inputs.ts";
import { bits } from "../support/kernels.ts";
import { describeWith } from "../support/required.ts";
import { tfjs } from "./installed.ts";
import { browserTool, openPages, type Pages } from "./pages.ts";
import type { Report, Task } from "./training-page.ts";

const task: Task = {
  backends: ["wasm", "cpu", "webgl"],
  lr: 0.01,
  momentum: 0.9,
  initial: [...parameters()],
  steps: Array.from({ length: 100 }, (_, step) => [...gradients("ordinary", step)]),
};

describeWith(browserTool("chromium"), "in Chromium", () => {
  describeWith(tfjs, "the drop-in for tf.js", () => {
    let pages: Pages;
    beforeAll(async () => {
      pages = await openPages(["training-page"]);
      provide(pages.folder);
    });
    afterAll(async () => {
      await closeBrowsers();
      pages.close();
    });

    it.each([
      { title: "without threads", policy: "free" },
      { title: "with its threads, on shared memory", policy: "isolated" },
    ])("gives the bits of RMSprop, and tf.js's results, $title", async ({ policy }) => {
      const report = await pages.report<Report>("chromium", "training-page.html", policy);
      expect(report).toMatchObject({ warnings: [], isShared: policy === "isolated" });
      expect(Object.keys(report.runs)).toEqual(task.backends);
      for (const [backend, { ours, theirs }] of Object.entries(report.runs)) {
        expect([ours.isInPlace, theirs.isInPlace]).toEqual([backend === "wasm", false]);
        expect([ours.kept, theirs.kept]).toEqual([0, 0]);
        // A hundred steps of some 0.01, each rounded where tf.js rounds or one operation further.
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

/** Gives the page what it asks for: the task, and tf.js's binaries. */
function provide(folder: string): void {
  writeFileSync(join(folder, "task"), JSON.stringify(task));
  const binaries = fileURLToPath(new URL("@tensorflow/tfjs-backend-wasm/dist", peerModules));
  cpSync(binaries, folder, {
    recursive: true,
    filter: (path) => path === binaries || path.endsWith(".wasm"),
  });
}
