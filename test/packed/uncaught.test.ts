/** Uncaught errors, as runtimes print them beside the line that they come from: short, and with their message. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as main from "rmsprop-wasm";
import { RMSpropError } from "rmsprop-wasm";
import { describe, expect, inject, it } from "vitest";
import { BUN, DENO } from "../../compat/runtimes.ts";
import { findTool, howToInstall } from "../../compat/tools.ts";
import { describeWith } from "../support/required.ts";
import { tfjs } from "../tfjs/installed.ts";

const { consumer } = inject("packed");

interface Mistake {
  name: string;
  entry: string;
  code: string;
}

const mistake = (name: string, entry: string, code: string): Mistake => ({ name, entry, code });

/** Every class of errors, and every entry. */
const MISTAKES = [
  mistake("OptionError", "rmsprop-wasm", "new api.RMSprop({ w: [1] }, { lr: -1 });"),
  mistake("ParameterError", "rmsprop-wasm", "new api.RMSprop({ w: [2, 0] });"),
  mistake("MemoryError", "rmsprop-wasm", "new api.RMSprop({ w: [2 ** 20, 2 ** 20] });"),
  mistake(
    "StaleViewError",
    "rmsprop-wasm",
    "const optimizer = new api.RMSprop({ w: [2] }); optimizer.grads.w.fill(1); optimizer.memory.grow(1); optimizer.step();",
  ),
  mistake(
    "NonFiniteError",
    "rmsprop-wasm",
    'const optimizer = new api.RMSprop({ w: [2] }, { nonFinite: "throw" }); optimizer.grads.w[0] = NaN; optimizer.step();',
  ),
  mistake(
    "SwappedError",
    "rmsprop-wasm",
    "const optimizer = new api.RMSprop({ w: [2] }, { ema: { decay: 0.9 } }); optimizer.swapEma(); optimizer.step();",
  ),
  mistake(
    "DisposedError",
    "rmsprop-wasm",
    "const optimizer = new api.RMSprop({ w: [2] }); optimizer.dispose(); optimizer.step();",
  ),
  // Made by hand: no program can make a worker die in the middle of a step.
  mistake("ThreadError", "rmsprop-wasm", 'throw new api.ThreadError("A worker ended.", 1024, 4);'),
  mistake("CheckpointError", "rmsprop-wasm/checkpoint", "api.load(new Uint8Array(3));"),
  mistake("BackendError", "rmsprop-wasm/js", 'new api.RMSprop({ w: [2] }, { backend: "wasm" });'),
  mistake(
    "MemoryError",
    "rmsprop-wasm/core",
    "api.instantiate(new WebAssembly.Memory({ initial: 1 })).update({ param: 1, grad: 2048, squareAvg: 3072, count: 1 });",
  ),
];
const TFJS_MISTAKES = [mistake("OptionError", "rmsprop-wasm/tfjs", "api.rmsprop({ lr: -1 });")];

const RUNTIMES = [
  { name: "Node", command: [process.execPath], isThere: true, install: "" },
  ...([[DENO, "Deno", "run"] as const, [BUN, "Bun"] as const] as const).map(([tool, name, ...args]) => ({
    name,
    command: [findTool(tool)?.path ?? name, ...args],
    isThere: findTool(tool) !== undefined,
    install: howToInstall(tool),
  })),
];

/** Writes the mistake as a program of somebody who has installed the package. */
function programOf({ name, entry, code }: Mistake): string {
  const folder = join(consumer, "uncaught");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}-${entry.replaceAll("/", "-")}.mjs`);
  writeFileSync(path, `import * as api from "${entry}";\n${code.replaceAll("; ", ";\n")}\n`);
  return path;
}

describe.each(RUNTIMES)("uncaught in $name,", ({ command: [file, ...args], ...runtime }) => {
  const prints = (mistakes: Mistake[]) =>
    it.each(mistakes)("a $name of $entry shows its message, in less than 2 kB", async (mistake) => {
      const path = programOf(mistake);
      const error = await import(pathToFileURL(path).href).catch((error) => error);
      expect(error.name).toBe(mistake.name);

      const { status, stderr } = spawnSync(file!, [...args, path], {
        cwd: consumer,
        encoding: "utf8",
        env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      });
      expect(status).toBe(1);
      expect(stderr).toContain(error.message);
      expect(Buffer.byteLength(stderr)).toBeLessThan(2000);
    });
  describeWith(runtime, "it", () => prints(MISTAKES));
  if (runtime.isThere) describeWith(tfjs, "beside tf.js", () => prints(TFJS_MISTAKES));
});

it("every class of errors has its mistake", () => {
  const classes = Object.entries(main).flatMap(([name, value]) =>
    typeof value === "function" && value.prototype instanceof RMSpropError ? [name] : [],
  );
  expect(new Set(MISTAKES.map(({ name }) => name))).toEqual(new Set(classes));
});
