/** Pages that tests look at with browsers, each bundled with a tf.js of one version. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { visit } from "../../compat/browsers.ts";
import { openSite } from "../../compat/site.ts";
import { type Browser, findTool, howToInstall } from "../../compat/tools.ts";
import { peerModules } from "../../tools/tfjs.mjs";

const source = (name: string) => fileURLToPath(new URL(`../../src/${name}.ts`, import.meta.url));
const WEBGPU = "@tensorflow/tfjs-backend-webgpu";

/** The versions of tf.js that tests run on: the first that the drop-in takes, one between, and the newest. */
export const VERSIONS = ["4.0.0", "4.10.0", "4.22.0"] as const;
export type Version = (typeof VERSIONS)[number];

/** The folder of installed packages that holds a version. */
function modulesOf(version: Version): URL {
  return version === "4.22.0" ? peerModules : new URL(`versions/${version}/node_modules/`, import.meta.url);
}

function dependenciesOf(version: Version): string[] {
  const manifest = readFileSync(new URL("../package.json", modulesOf(version)), "utf8");
  return Object.keys(JSON.parse(manifest).dependencies);
}

/** For `describeWith`. */
export const tfjsOf = (version: Version) => ({
  name: `tf.js ${version}`,
  isThere: dependenciesOf(version).every((name) => existsSync(new URL(name, modulesOf(version)))),
  install: `npm ci --prefix ${version === "4.22.0" ? "bench/peers" : `test/tfjs/versions/${version}`}`,
});

/** For `describeWith`. */
export const browserTool = (browser: Browser) => ({
  name: browser,
  isThere: findTool(browser) !== undefined,
  install: howToInstall(browser),
});

/** A site of pages: `x.html` is made of `x.ts`, a file of this folder. */
export interface Pages {
  readonly folder: string;
  /** Looks at a page, and gives what it reports: its `error` is thrown. */
  report<Report>(browser: Browser, page: string, policy?: string): Promise<Report>;
  close(): void;
}

export async function openPages(names: readonly string[], version: Version = "4.22.0"): Promise<Pages> {
  const folder = mkdtempSync(join(tmpdir(), "rmsprop-wasm-pages-"));
  const modules = modulesOf(version);
  await build({
    entryPoints: names.map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))),
    alias: { "rmsprop-wasm/tfjs": source("tfjs"), "rmsprop-wasm/js": source("js") },
    nodePaths: [fileURLToPath(modules)],
    // The first versions have none: their pages don't ask for it.
    external: existsSync(new URL(WEBGPU, modules)) ? [] : [WEBGPU],
    bundle: true,
    splitting: true,
    format: "esm",
    outdir: folder,
  });
  const site = await openSite(folder);
  return {
    folder,
    async report<Report>(browser: Browser, page: string, policy = "free") {
      // As text, since Firefox's debugger hands out objects to a certain depth alone.
      const text = (await visit(browser, `${site.url}/${policy}/${page}`)) as string;
      const report = JSON.parse(text) as Report & { error?: string };
      if (report.error) throw new Error(`${page}: ${report.error}`);
      return report;
    },
    close() {
      site.close();
      rmSync(folder, { recursive: true });
    },
  };
}
