/** Compiles assembly/network.ts, with the managed runtime, and instantiates it. */
import { readFileSync } from "node:fs";
import { type ASUtil, instantiate } from "@assemblyscript/loader";
import asc from "assemblyscript/asc";
import type { Network, NetworkExports } from "../quadrants.ts";

/** The managed heap's own exports, beside the network's. */
export type ManagedExports = NetworkExports & ASUtil & { BYTES: WebAssembly.Global<"i32"> };

export interface ManagedNetwork extends Network {
  exports: ManagedExports;
}

let binary: Uint8Array<ArrayBuffer> | undefined;

export async function loadNetwork(): Promise<ManagedNetwork> {
  binary ??= await compile();
  const { exports } = await instantiate<Record<string, unknown>>(binary);
  const managed = exports as unknown as ManagedExports;
  return {
    exports: managed,
    // Pinned: nothing in the module points there, so that the garbage collector would take it.
    allocate: (byteLength) => managed.__pin(managed.__new(byteLength, managed.BYTES.value)),
  };
}

async function compile(): Promise<Uint8Array<ArrayBuffer>> {
  const source = readFileSync(new URL("assembly/network.ts", import.meta.url), "utf8");
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const options = ["--runtime", "incremental", "--exportRuntime", "-O3"];
  const { error, stderr } = await asc.main(["network.ts", "--outFile", "network.wasm", ...options], {
    readFile: (path) => (path === "network.ts" ? source : null),
    writeFile(_path, contents) {
      binary = new Uint8Array(contents as Uint8Array);
    },
    listFiles: () => null,
  });
  if (error || !binary)
    throw new Error(`asc can't compile assembly/network.ts:\n${stderr}`, { cause: error });
  return binary;
}
