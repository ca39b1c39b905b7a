/**
 * A file that is never half written. write-file-atomic would be the library, but it doesn't flush the folder, takes no
 * chunks, and is for Node alone: to import it would trouble the bundlers of pages.
 */

import { builtinModule } from "../base/builtin.ts";
import { refuseSurplus } from "../base/rules.ts";
import { cut, show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";
import { type Chunks, piecesOf } from "./chunks.ts";

/** The part of `node:fs/promises` that is used here. */
interface FileSystem {
  readonly constants: Readonly<Record<"O_CREAT" | "O_EXCL" | "O_SYNC" | "O_WRONLY", number>>;
  chmod(path: string, mode: number): Promise<void>;
  chown(path: string, owner: number, group: number): Promise<void>;
  open(path: string, flags: string | number, mode?: number): Promise<FileHandle>;
  readlink(path: string): Promise<string>;
  realpath(path: string): Promise<string>;
  rename(from: string, to: string): Promise<void>;
  stat(path: string): Promise<Stats>;
  unlink(path: string): Promise<void>;
}

interface FileHandle {
  writeFile(data: string | Uint8Array | Chunks): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

interface Stats {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  isFile(): boolean;
}

/** The part of `node:path` that is used here. */
interface Paths {
  basename(path: string): string;
  dirname(path: string): string;
  join(...parts: string[]): string;
  resolve(...parts: string[]): string;
}

/** The part of `process` that is used here. */
interface Process {
  readonly platform: string;
  /** There under the permission model alone. */
  readonly permission?: object;
  emitWarning(message: string, options: { code: string }): void;
}

/**
 * Writes a file so that a crash at any time, of the process or of the machine, leaves the old file or the new one. It
 * goes beside it under another name first, is flushed to the disk, and then takes the name, with the mode of the old file
 * and, where the system permits it, its owner and group. A link stays, and the file that it points to is written. A process
 * that is killed meanwhile leaves a file behind that nobody reads: the name's first 60 characters, a UUID and `.tmp`.
 *
 * A warning with the code `RMSPROP_WASM_UNFLUSHED` says that the folder can't be flushed, before the file takes its
 * name: after a crash of the machine the old file may still be there. Node's permission model forbids to flush, and so
 * does a folder that can't be read.
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
 * @throws CheckpointError where there are no files, for a path that names a folder or a device, and for other data. Errors of the system are
 * handed on. The old file is as it was then.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array | Chunks): Promise<void>;
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | Chunks,
  other?: unknown,
): Promise<void> {
  refuseSurplus("writeFileAtomic", [other]);
  const files = builtinModule("node:fs/promises") as FileSystem | undefined;
  if (!files) {
    throw new CheckpointError("There are no files here: writeFileAtomic is for Node, Deno and Bun.");
  }
  if (typeof path !== "string") {
    throw new CheckpointError(
      `The path: got ${show(path)}, expected a string; fileURLToPath of node:url makes one of a URL.`,
    );
  }
  const paths = builtinModule("node:path") as Paths;
  const target = await targetOf(path, files, paths);
  const former = await orNone(files.stat(target));
  // A path that ends in a slash would become a file without it.
  if (former ? !former.isFile() : path.endsWith("/")) {
    throw new CheckpointError(
      `${cut(target)} is a folder or a device, expected a file, or a name that is free.`,
    );
  }
  const folder = paths.dirname(target);
  // Short, since a name may be as long as the system allows.
  const start = paths.basename(target).slice(0, 60);
  // The file of a killed writer stays until the user deletes it: the number of a process means nothing on another machine or in
  // another container that shares the folder, and no runtime has locks of files that end with their process, so that nobody
  // knows whether the writer lives. Its age tells nothing either: a writer waits as long as its chunks, or a machine asleep, do.
  const temporary = paths.join(folder, `${start}.${crypto.randomUUID()}.tmp`);
  try {
    // Nobody reads it before it has the old file's mode.
    await withFile(files, temporary, flagsFor(files), former && 0o600, async (file) => {
      if (former) await keepAccess(files, temporary, former);
      const isWhole = typeof data === "string" || ArrayBuffer.isView(data);
      await file.writeFile(isWhole ? data : piecesOf(data, "what save or saveChunks gives, or text"));
      if (!underPermissions()) await file.sync();
    });
    const canFlush = await flushes(files, folder);
    await files.rename(temporary, target);
    if (canFlush) await flushes(files, folder);
  } catch (error) {
    await files.unlink(temporary).catch(() => {});
    throw error;
  }
}

/** The file that is to be replaced: behind all links, whose last may point to a name that is free. Circles are errors of `realpath`. */
async function targetOf(path: string, files: FileSystem, { dirname, resolve }: Paths): Promise<string> {
  let target = resolve(path);
  for (;;) {
    const real = await orNone(files.realpath(target));
    if (real !== undefined) return real;
    const next = await orNone(files.readlink(target));
    if (next === undefined) return target;
    target = resolve(dirname(target), next);
  }
}

/** Gives undefined for a file that isn't there. */
async function orNone<Value>(value: Promise<Value>): Promise<Value | undefined> {
  try {
    return await value;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether Node's permission model is on, which forbids to flush open files. */
function underPermissions(): boolean {
  return processOf().permission !== undefined;
}

/** The flags of a new file. Where flushing is forbidden, each write waits for the disk. */
function flagsFor({ constants }: FileSystem): string | number {
  if (!underPermissions()) return "wx";
  return constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_SYNC;
}

/**
 * Gives a new file the old one's owner and group, where that is permitted, then its mode: a change of the owner takes bits
 * of the mode away. Through the path, since Deno's handles can't, and Node's mustn't under its permission model.
 */
async function keepAccess(files: FileSystem, path: string, { uid, gid, mode }: Stats): Promise<void> {
  const refused = () => false;
  const own = await files.stat(path);
  if (own.uid !== uid || own.gid !== gid) {
    const isKept = await files.chown(path, uid, gid).then(() => true, refused);
    // Nobody but root may give a file away, but members of a group may share theirs with it.
    if (!isKept && own.gid !== gid) await files.chown(path, own.uid, gid).catch(refused);
  }
  await files.chmod(path, mode & 0o7777);
}

let hasWarned = false;

/** Flushes a folder, which holds the names of its files; warns where that can't be done. Windows neither allows nor needs it. */
async function flushes(files: FileSystem, folder: string): Promise<boolean> {
  const process = processOf();
  if (process.platform === "win32") return false;
  let reason: unknown = "Node's permission model forbids it";
  if (!underPermissions()) {
    try {
      await withFile(files, folder, "r", undefined, (file) => file.sync());
      return true;
    } catch (error) {
      reason = error;
    }
  }
  if (!hasWarned) {
    process.emitWarning(
      `writeFileAtomic can't flush the folder ${cut(folder)}, so that the old file may still be there after a crash of the machine (${reason}). This is said once.`,
      { code: "RMSPROP_WASM_UNFLUSHED" },
    );
  }
  hasWarned = true;
  return false;
}

function processOf(): Process {
  return builtinModule("node:process") as Process;
}

async function withFile(
  { open }: FileSystem,
  path: string,
  flags: string | number,
  mode: number | undefined,
  use: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags, mode);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}
