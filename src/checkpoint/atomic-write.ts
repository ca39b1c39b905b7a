/**
 * A file that is never half written. write-file-atomic would be the library, but it doesn't flush the folder, takes no
 * chunks, and is for Node alone: to import it would trouble the bundlers of pages.
 */

import { builtinModule } from "../base/builtin.ts";
import { CheckpointError } from "../errors.ts";
import type { Chunks } from "./chunks.ts";

/** The part of `node:fs/promises` that is used here. */
interface FileSystem {
  open(path: string, flags: string): Promise<FileHandle>;
  realpath(path: string): Promise<string>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

interface FileHandle {
  writeFile(data: string | Uint8Array | Chunks): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Writes a file so that a crash at any time, of the process or of the machine, leaves the old file or the new one. It
 * goes beside it under another name first, is flushed to the disk, and then takes the name. A process that is killed
 * meanwhile leaves `<path>.<UUID>.tmp` behind, which nobody reads.
 *
 * It works in Node, Deno and Bun.
 *
 * @example
 * ```ts
 * import { mkdtemp, readFile } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { RMSprop } from "rmsprop-wasm";
 * import { load, save, writeFileAtomic } from "rmsprop-wasm/checkpoint";
 *
 * const path = join(await mkdtemp(join(tmpdir(), "run-")), "run.safetensors");
 * await writeFileAtomic(path, save(new RMSprop({ w: new Float32Array([3, 4]) })));
 * load(await readFile(path)).params.w; // → [3, 4]
 * ```
 *
 * @param data The result of `save` or `saveChunks`, or text.
 * @throws CheckpointError where there are no files.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array | Chunks): Promise<void> {
  const files = builtinModule("node:fs/promises") as FileSystem | undefined;
  if (!files) {
    throw new CheckpointError("There are no files here: writeFileAtomic is for Node, Deno and Bun.");
  }
  // Replaces the file that a link points to, not the link. There may be no file yet.
  const target = await files.realpath(path).catch(() => path);
  const temporary = `${target}.${crypto.randomUUID()}.tmp`;
  try {
    await withFile(files, temporary, "wx", async (file) => {
      await file.writeFile(data);
      await file.sync();
    });
    await files.rename(temporary, target);
  } catch (error) {
    await files.unlink(temporary).catch(() => {});
    throw error;
  }
  // Flushes the folder, which holds the name. Windows neither allows nor needs that.
  const { dirname } = builtinModule("node:path") as { dirname(path: string): string };
  const { platform } = builtinModule("node:process") as { platform: string };
  if (platform !== "win32") await withFile(files, dirname(target), "r", (folder) => folder.sync());
}

async function withFile(
  { open }: FileSystem,
  path: string,
  flags: string,
  use: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}
