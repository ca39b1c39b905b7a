/**
 * tf.js learns to read handwritten digits, with its own RMSprop and with rmsprop-wasm's: the worth of one changed line.
 *
 *     npm run example:tfjs              in Node
 *     npm run example:tfjs -- --page    in a browser, at the address that it then prints
 *
 * `train.ts` is the program. Here it is bundled with the tf.js that bench/peers has, and run.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";
import { installTfjs, peerModules, placeBesideTfjs, placeOfPackage } from "../../tools/tfjs.mjs";
import { loadMnist } from "../mnist/data.ts";
import type { DataSet } from "../mnist/digits.ts";

const IMAGES = 12_000;
const WASM = new URL("@tensorflow/tfjs-backend-wasm/dist/", peerModules);

installTfjs(console.log);
placeBesideTfjs();
const { train, test } = loadMnist();
const data = { train: first(train, IMAGES), test };
await (process.argv.includes("--page") ? servePage() : runHere());

function first({ images, labels }: DataSet, count: number): DataSet {
  const pixels = images.length / labels.length;
  return { images: images.subarray(0, count * pixels), labels: labels.subarray(0, count) };
}

async function bundle(entry: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    nodePaths: [fileURLToPath(peerModules)],
    bundle: true,
    format: "esm",
    ...options,
    write: false,
  });
  return outputFiles[0]!.text;
}

/** Writes the bundle beside tf.js, where Node finds tf.js from it. */
async function runHere(): Promise<void> {
  const program = new URL("example.mjs", placeOfPackage);
  writeFileSync(program, await bundle("node.ts", { packages: "external", platform: "node" }));
  const { run }: typeof import("./node.ts") = await import(program.href);
  await run(data, console.log);
}

async function servePage(): Promise<void> {
  const files: Record<string, [type: string, body: string | Uint8Array]> = {
    "/": [
      "text/html",
      '<!doctype html><meta charset="utf-8"><pre></pre><script type="module" src="page.js"></script>',
    ],
    "/page.js": ["text/javascript", await bundle("page.ts", { external: ["util", "crypto"] })],
    "/train/images": ["application/octet-stream", data.train.images],
    "/train/labels": ["application/octet-stream", data.train.labels],
    "/test/images": ["application/octet-stream", data.test.images],
    "/test/labels": ["application/octet-stream", data.test.labels],
  };
  for (const name of readdirSync(WASM).filter((name) => name.endsWith(".wasm"))) {
    files[`/${name}`] = ["application/wasm", readFileSync(new URL(name, WASM))];
  }
  const server = createServer(({ url = "/" }, response) => {
    const [type, body] = files[url] ?? ["text/plain"];
    response.writeHead(body ? 200 : 404, { "content-type": type }).end(body);
  });
  server.listen(8080, () => console.log("http://localhost:8080"));
}
