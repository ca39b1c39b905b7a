/** The declarations, by old and new compilers and by both ways of finding them. */
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, inject, it } from "vitest";
import { describeWith } from "../support/required.ts";
import { tfjs } from "../tfjs/installed.ts";
import { tools } from "../tools/load.ts";

const { consumer } = inject("packed");

const STRICT = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true };
const NODE = { module: "nodenext" };
const BUNDLER = { module: "esnext", moduleResolution: "bundler" };

/** Compiles a file of the consumer's, its dependencies' declarations included; gives what the compiler complains of. */
function compile(compiler: string, file: string, options: object): string {
  const compilerOptions = { ...STRICT, target: "es2022", lib: ["es2022", "dom"], types: [], ...options };
  writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [file] }));
  const bin = fileURLToPath(new URL(`../tools/node_modules/${compiler}/bin/tsc`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin], { cwd: consumer, encoding: "utf8" });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

describeWith(tools, "the declarations", () => {
  copyFileSync(fileURLToPath(new URL("consumer.ts", import.meta.url)), join(consumer, "consumer.ts"));

  it.each([
    ["typescript-5.4", NODE],
    ["typescript-5.4", BUNDLER],
    ["typescript-7.0", NODE],
    ["typescript-7.0", BUNDLER],
  ])("compile with %s and %o", (compiler, resolution) => {
    expect(compile(compiler, "consumer.ts", resolution)).toBe("");
  });

  it.each(["typescript-5.4", "typescript-7.0"])("compile with %s without the DOM, as Node's", (compiler) => {
    const typeRoots = [fileURLToPath(new URL("../../node_modules/@types", import.meta.url))];
    writeFileSync(
      join(consumer, "in-node.ts"),
      `import { RMSprop } from "rmsprop-wasm";
      import { instantiate } from "rmsprop-wasm/core";
      import { RMSprop as Js } from "rmsprop-wasm/js";
      export const { update } = instantiate(new RMSprop({ w: [2] }).memory);
      export const w: Float32Array = new Js({ w: [2] }).params.w;`,
    );
    expect(compile(compiler, "in-node.ts", { ...NODE, lib: ["es2022"], types: ["node"], typeRoots })).toBe(
      "",
    );
  });

  describeWith(tfjs, "of the drop-in for tf.js", () => {
    it.each(["typescript-5.4", "typescript-7.0"])("compile with %s beside tf.js' own", (compiler) => {
      writeFileSync(
        join(consumer, "in-tfjs.ts"),
        `import * as tf from "@tensorflow/tfjs-core";
        import { rmsprop, RMSPropOptimizer, type RMSPropOptions } from "rmsprop-wasm/tfjs";
        const options: RMSPropOptions = { lr: 1e-3, clipNorm: 1, nonFinite: "skip" };
        const ours: RMSPropOptimizer = rmsprop(options);
        export const optimizer: tf.Optimizer = ours;
        ours.lr = (step: number): number => 1 / step;
        ours.applyGradients({ w: tf.zeros([2]) });
        tf.serialization.registerClass(RMSPropOptimizer);
        const config: tf.serialization.ConfigDict = ours.getConfig();
        const copy = RMSPropOptimizer.fromConfig<RMSPropOptimizer>(RMSPropOptimizer, config);
        export const loaded: Promise<void> = ours.getWeights().then((weights) => copy.setWeights(weights));
        // @ts-expect-error An option is misspelt.
        rmsprop({ learningRate: 1e-3 });
        // @ts-expect-error Options by themselves are an object.
        rmsprop(1e-3);
        // @ts-expect-error What needs an optimizer's own memory.
        rmsprop({ threads: 2 });`,
      );
      // tf.js' own declarations aren't up to so strict a compiler.
      expect(compile(compiler, "in-tfjs.ts", { ...BUNDLER, skipLibCheck: true })).toBe("");
      expect(compile(compiler, "in-tfjs.ts", { ...NODE, skipLibCheck: true })).toBe("");
    });
  });

  it("are those of a package that is there", () => {
    const text = readFileSync(join(consumer, "consumer.ts"), "utf8");
    writeFileSync(join(consumer, "misnamed.ts"), text.replaceAll("rmsprop-wasm/core", "rmsprop-wasm/kernel"));
    expect(compile("typescript-7.0", "misnamed.ts", NODE)).toMatch(/misnamed\.ts.*rmsprop-wasm\/kernel/);
  });

  it("annotate what isolatedDeclarations wants annotated", () => {
    writeFileSync(
      join(consumer, "isolated.ts"),
      `import { RMSprop, type Shape } from "rmsprop-wasm";
      export const named: RMSprop<{ w: Shape }> = new RMSprop({ w: [2] });
      export const any: RMSprop = named;`,
    );
    const options = { ...NODE, noEmit: false, declaration: true, outDir: "out", isolatedDeclarations: true };
    expect(compile("typescript-7.0", "isolated.ts", options)).toBe("");
  });

  it.each([
    ["typescript-5.4", NODE],
    ["typescript-5.4", { module: "node16" }],
    ["typescript-7.0", { module: "node16" }],
  ])("want a dynamic import in CommonJS with %s and %o", (compiler, resolution) => {
    writeFileSync(
      join(consumer, "required.cts"),
      'import { RMSprop } from "rmsprop-wasm"; new RMSprop({ w: [2] });',
    );
    expect(compile(compiler, "required.cts", resolution)).toMatch(/TS1479/);
    writeFileSync(
      join(consumer, "dynamic.cts"),
      `export const made = import("rmsprop-wasm").then(({ RMSprop }) => new RMSprop({ w: [2] }).params.w);`,
    );
    expect(compile(compiler, "dynamic.cts", resolution)).toBe("");
  });

  it("are found by require as well, since TypeScript 5.8", () => {
    writeFileSync(
      join(consumer, "consumer.cts"),
      'import { RMSprop } from "rmsprop-wasm"; export const { w }: { w: Float32Array } = new RMSprop({ w: [2] }).params;',
    );
    expect(compile("typescript-7.0", "consumer.cts", NODE)).toBe("");
  });
});
