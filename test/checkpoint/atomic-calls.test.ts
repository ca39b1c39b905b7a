/** The calls that `writeFileAtomic` makes of the system, and their order, on systems of every kind: this one's files, by calls that tell. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import files, { type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { CheckpointError } from "rmsprop-wasm";
import { writeFileAtomic } from "rmsprop-wasm/checkpoint";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atomic-calls-"));
  path = join(folder, "file");
});
afterEach(() => {
  vi.unstubAllGlobals();
  rmSync(folder, { recursive: true });
});

type Call = (...args: never[]) => Promise<unknown>;
const failure = (code: string) => Object.assign(new Error(`${code}: refused`), { code });
const { O_CREAT, O_EXCL, O_SYNC, O_WRONLY } = files.constants;

/** The function anew, which hasn't warned yet, on a system with other calls and another process; all that it asks is told. */
async function openSystem(calls: Record<string, Call> = {}, processLike: object = {}) {
  const told: string[] = [];
  const warnings: unknown[][] = [];
  const nameOf = (path: string) =>
    path === folder ? "folder" : basename(path).replace(/\.[-0-9a-f]{36}\.tmp$/, ".tmp");
  const system = new Proxy(files, {
    get(_, name: string) {
      if (name === "constants") return files.constants;
      return async (...args: never[]) => {
        const [first, ...others] = args as unknown as [string, ...(string | number | undefined)[]];
        const rest = name === "rename" ? [nameOf(others[0] as string)] : others;
        told.push([name, nameOf(first), ...rest.filter((value) => value !== undefined)].join(" "));
        const call = (calls[name] ?? files[name as "open"]) as Call;
        const result = await call(...args);
        if (name !== "open") return result;
        const handle = result as FileHandle;
        const tell =
          (what: "writeFile" | "sync" | "close") =>
          async (...args: never[]) => {
            told.push(`${what} ${nameOf(first)}`);
            const call = calls[what];
            return call ? call(...args) : (handle[what] as Call)(...args);
          };
        return { writeFile: tell("writeFile"), sync: tell("sync"), close: tell("close") };
      };
    },
  });
  const emitWarning = (...args: unknown[]) => warnings.push([told.length, ...args]);
  const { getBuiltinModule } = process;
  vi.stubGlobal("process", {
    ...process,
    getBuiltinModule: (name: string) => {
      if (name === "node:fs/promises") return system;
      if (name === "node:process") return { platform: "linux", emitWarning, ...processLike };
      return getBuiltinModule(name);
    },
  });
  vi.resetModules();
  const { writeFileAtomic } = await import("../../src/checkpoint/atomic-write.ts");
  return { told, warnings, write: (text: string, to = path) => writeFileAtomic(to, text) };
}

const FLUSH = ["open folder r", "sync folder", "close folder"];
const FIND = ["realpath file", "readlink file", "stat file"];
const WRITE = ["writeFile file.tmp", "sync file.tmp", "close file.tmp"];

it("a new file is flushed, and its folder before and after it takes its name", async () => {
  const { told, warnings, write } = await openSystem();
  await write("new");
  expect(told).toEqual([...FIND, "open file.tmp wx", ...WRITE, ...FLUSH, "rename file.tmp file", ...FLUSH]);
  expect(warnings).toEqual([]);
  expect(readFileSync(path, "utf8")).toBe("new");
});

it("an old file's mode is the new one's, which nobody else reads before; the owner is left where it is the same", async () => {
  writeFileSync(path, "old", { mode: 0o644 });
  const { told, write } = await openSystem();
  const keep = ["stat file.tmp", `chmod file.tmp ${statSync(path).mode & 0o7777}`];
  await write("new");
  expect(told).toEqual([
    ...["realpath file", "stat file", `open file.tmp wx ${0o600}`, ...keep, ...WRITE],
    ...[...FLUSH, "rename file.tmp file", ...FLUSH],
  ]);
});

/** A system on which the old file is of an owner and a group, and new ones are of 1 and 2. */
function owned(uid: number, gid: number, chown: Call) {
  const stat = async (path: string) => {
    const stats = await files.stat(path);
    return Object.assign(stats, path.endsWith(".tmp") ? { uid: 1, gid: 2 } : { uid, gid });
  };
  return openSystem({ stat: stat as unknown as Call, chown });
}
it.each([
  ["owner", 3, 2, ["chown file.tmp 3 2"]],
  ["group", 1, 4, ["chown file.tmp 1 4"]],
  ["owner and group", 3, 4, ["chown file.tmp 3 4"]],
  ["own", 1, 2, []],
] as const)("the %s of an old file is the new one's, and then its mode", async (_, uid, gid, expected) => {
  writeFileSync(path, "old", { mode: 0o640 });
  const mode = statSync(path).mode & 0o7777;
  const { told, write } = await owned(uid, gid, async () => {});
  await write("new");
  const at = told.indexOf("stat file.tmp");
  expect(told.slice(at, at + expected.length + 2)).toEqual([
    "stat file.tmp",
    ...expected,
    `chmod file.tmp ${mode}`,
  ]);
});

it.each([
  ["the group alone", 3, 4, ["chown file.tmp 3 4", "chown file.tmp 1 4"]],
  ["nothing, where the group is the same,", 3, 2, ["chown file.tmp 3 2"]],
] as const)("%s is asked for once more where the owner can't be kept", async (_, uid, gid, expected) => {
  writeFileSync(path, "old");
  const { told, write } = await owned(uid, gid, () => Promise.reject(failure("EPERM")));
  await write("new");
  expect(told.filter((call) => call.startsWith("chown"))).toEqual(expected);
  expect(readFileSync(path, "utf8")).toBe("new");
});

it("Windows, which neither allows nor needs it, isn't asked to flush folders", async () => {
  const { told, warnings, write } = await openSystem({}, { platform: "win32" });
  await write("new");
  expect(told).toEqual([...FIND, "open file.tmp wx", ...WRITE, "rename file.tmp file"]);
  expect(warnings).toEqual([]);
});

it("under Node's permission model each write waits for the disk, and a warning comes once, before the file has its name", async () => {
  const { told, warnings, write } = await openSystem({}, { permission: {} });
  await write("one");
  const flags = O_CREAT | O_EXCL | O_WRONLY | O_SYNC;
  expect(told).toEqual([
    ...FIND,
    `open file.tmp ${flags}`,
    ...["writeFile file.tmp", "close file.tmp", "rename file.tmp file"],
  ]);
  expect(warnings).toEqual([
    [
      told.length - 1,
      `writeFileAtomic can't flush the folder ${folder}, so that the old file may still be there after a crash of the machine (Node's permission model forbids it). This is said once.`,
      { code: "RMSPROP_WASM_UNFLUSHED" },
    ],
  ]);
  await write("two");
  expect(warnings).toHaveLength(1);
  expect(readFileSync(path, "utf8")).toBe("two");
});

it.each(["open", "sync"])(
  "a folder that can't be flushed, by %s, has the reason told, and isn't tried again",
  async (name) => {
    const open = async (path: string, ...args: never[]) => {
      if (path === folder) throw failure("EACCES");
      return files.open(path, ...args);
    };
    let syncs = 0;
    const sync = async () => {
      // The first is that of the file.
      if (++syncs === 2) throw failure("EACCES");
    };
    const { told, warnings, write } = await openSystem(name === "open" ? { open: open as never } : { sync });
    await write("new");
    expect(warnings.map(([at, text]) => [at, text])).toEqual([
      [told.length - 1, expect.stringContaining("(Error: EACCES: refused)")],
    ]);
    expect(told.at(-1)).toBe("rename file.tmp file");
    // A handle is closed whatever becomes of it.
    expect(told.filter((call) => call === "close folder")).toHaveLength(name === "open" ? 0 : 1);
  },
);

it.each(["realpath", "readlink", "stat", "open", "writeFile", "sync", "rename"])(
  "an error of %s is handed on, and no other file is left",
  async (name) => {
    if (name !== "readlink") writeFileSync(path, "old");
    const { told, write } = await openSystem({ [name]: () => Promise.reject(failure("EIO")) });
    await expect(write("new")).rejects.toThrow("EIO: refused");
    expect(readdirSync(folder)).toEqual(name === "readlink" ? [] : ["file"]);
    if (name !== "readlink") expect(readFileSync(path, "utf8")).toBe("old");
    const hasBegun = !["realpath", "readlink", "stat"].includes(name);
    expect(told.at(-1) === "unlink file.tmp").toBe(hasBegun);
    expect(told.includes("close file.tmp")).toBe(hasBegun && name !== "open");
  },
);

it("the error is the first one, where what was begun can't be taken away either", async () => {
  const refuse = (code: string) => () => Promise.reject(failure(code));
  const { write } = await openSystem({ rename: refuse("EIO"), unlink: refuse("EROFS") });
  await expect(write("new")).rejects.toThrow("EIO: refused");
});

it("a name that is free and ends in a slash is a folder's", async () => {
  const { told, write } = await openSystem();
  await expect(write("new", `${path}/`)).rejects.toThrow(
    "is a folder or a device, expected a file, or a name that is free.",
  );
  expect(told.some((call) => call.startsWith("open"))).toBe(false);
  await expect(write("new", folder)).rejects.toThrow("is a folder or a device");
  expect(statSync(folder).isDirectory()).toBe(true);
});

it("nothing but bytes, text and pieces is written, and nothing is taken after it", async () => {
  writeFileSync(path, "old");
  for (const data of [7, {}, null, undefined, ["text"], [1]]) {
    const written = writeFileAtomic(path, data as never);
    await expect(written).rejects.toThrow(CheckpointError);
  }
  await expect(writeFileAtomic(path, 7 as never)).rejects.toThrow(
    "The file: got 7, expected what save or saveChunks gives, or text.",
  );
  const surplus = [path, "new", "utf8"] as unknown as [string, string];
  await expect(writeFileAtomic(...surplus)).rejects.toThrow(
    'writeFileAtomic: got "utf8", one argument too many',
  );
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["file"]);
});
