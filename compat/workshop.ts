/**
 * Where the projects of the cells stand: a temporary folder, with an end to what tools look for upwards. In the
 * repository, esbuild and Wrangler took our tsconfig.json, and by its paths the sources instead of the package.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

  /** What cells have in common, such as a bundle that two browsers run, is made by the first that asks. */
  once(name: string, make: () => Promise<string>): Promise<string> {
    if (!this.#made.has(name)) this.#made.set(name, make());
    return this.#made.get(name)!;
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
