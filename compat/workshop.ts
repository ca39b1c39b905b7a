/**
 * The place of the cells' projects: a temporary folder, whose own tsconfig.json ends the search of tools upwards. In the
 * repository, esbuild and Wrangler took its tsconfig.json, and by the paths in it the sources instead of the package.
 */
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { packInto } from "../tools/pack.ts";
import { runCommand } from "./processes.ts";
import { installed } from "./tools.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), "rmsprop-wasm-compat-"));
  readonly #tarball: string;
  readonly #made = new Map<string, Promise<string>>();

  /** Builds the package and packs it. */
  constructor() {
    this.#tarball = packInto(this.folder).tarball;
    symlinkSync(installed, join(this.folder, "node_modules"));
    writeFileSync(join(this.folder, "tsconfig.json"), "{}\n");
  }

  /** The folder of a project of that name, made from a fixture when it is first asked for. */
  project(name: string, fixture = name): Promise<string> {
    return this.once(`project ${name}`, async () => {
      const folder = join(this.folder, name);
      mkdirSync(folder);
      cpSync(join(here, "fixtures", fixture), folder, { recursive: true });
      for (const name of ["program.js", "answer.js"]) cpSync(join(here, name), join(folder, name));
      writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
      const flags = ["--offline", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"];
      await runCommand(["npm", "install", ...flags, this.#tarball], folder);
      return folder;
    });
  }

  /** Makes what cells share, such as a bundle that two browsers run, when the first cell asks for it. */
  once(name: string, make: () => Promise<string>): Promise<string> {
    if (!this.#made.has(name)) this.#made.set(name, make());
    return this.#made.get(name)!;
  }
}
