/** Files that are never half written, also where a process is killed while it saves. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { build } from "esbuild";
import { CheckpointError, RMSprop } from "rmsprop-wasm";
import { load, save, saveChunks, writeFileAtomic } from "rmsprop-wasm/checkpoint";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { BUNDLE } from "../../tools/bundle.mjs";
import { seeded } from "../support/kernels.ts";

const isRoot = process.getuid?.() === 0;
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atomic-"));
  path = join(folder, "run.safetensors");
  return () => rmSync(folder, { recursive: true });
});

describe("writeFileAtomic", () => {
  const bytes = save(new RMSprop({ w: Float32Array.of(1, 2, 3) }));

  it.each([
    ["bytes", () => bytes],
    ["chunks", () => saveChunks(load(bytes))],
    ["chunks to come", () => new Response(bytes).body as unknown as AsyncIterable<Uint8Array>],
  ])("writes %s, and nothing else is left", async (_, data) => {
    await writeFileAtomic(path, data());
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
    writeFileSync(path, "the one before");
    await writeFileAtomic(path, data());
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
    expect(readdirSync(folder)).toEqual(["run.safetensors"]);
  });

  it("writes text", async () => {
    await writeFileAtomic(path, "é");
    expect(readFileSync(path, "utf8")).toBe("é");
  });

  it("replaces what a link points to", async () => {
    const target = join(folder, "other", "target");
    mkdirSync(join(folder, "other"));
    writeFileSync(target, "before");
    symlinkSync(target, path);
    await writeFileAtomic(path, "after");
    expect(readFileSync(target, "utf8")).toBe("after");
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readdirSync(join(folder, "other"))).toEqual(["target"]);
  });

  it.each([
    ["there is nothing", "none"],
    ["there is another link to nothing", "second"],
    ["nothing is in another folder", join("other", "none")],
  ])("writes what a link points to where %s yet", async (_, to) => {
    mkdirSync(join(folder, "other"));
    symlinkSync(join("other", "none"), join(folder, "second"));
    symlinkSync(to, path);
    await writeFileAtomic(path, "new");
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("new");
    const target = to === "none" ? join(folder, "none") : join(folder, "other", "none");
    expect(lstatSync(target).isFile()).toBe(true);
    expect(readdirSync(join(target, ".."))).toContain("none");
  });

  it("doesn't follow links in a circle", async () => {
    symlinkSync("run.safetensors", path);
    await expect(writeFileAtomic(path, "new")).rejects.toThrow("ELOOP");
    expect(readdirSync(folder)).toEqual(["run.safetensors"]);
  });

  it.each([0o600, 0o640, 0o664, 0o444, 0o777])("keeps the mode %o of the old file", async (mode) => {
    writeFileSync(path, "old");
    chmodSync(path, mode);
    await writeFileAtomic(path, "new");
    expect(statSync(path).mode & 0o7777).toBe(mode);
    expect(readFileSync(path, "utf8")).toBe("new");
  });

  it("gives a new file the mode that any new file has", async () => {
    const other = join(folder, "other");
    writeFileSync(other, "");
    await writeFileAtomic(path, "new");
    expect(statSync(path).mode).toBe(statSync(other).mode);
  });

  it("keeps the owner and the group, which root may", async () => {
    writeFileSync(path, "old");
    if (isRoot) chownSync(path, 12_345, 12_346);
    chmodSync(path, 0o4750);
    const { uid, gid } = statSync(path);
    await writeFileAtomic(path, "new");
    expect(statSync(path)).toMatchObject({ uid, gid, mode: 0o104750 });
    expect(uid).toBe(isRoot ? 12_345 : process.getuid!());
  });

  it.each(["n".repeat(255), "𝄞".repeat(63), "é".repeat(127)])(
    "takes a name of 250 bytes: %s",
    async (name) => {
      for (const text of ["one", "two"]) await writeFileAtomic(join(folder, name), text);
      expect(readFileSync(join(folder, name), "utf8")).toBe("two");
      expect(readdirSync(folder)).toEqual([name]);
    },
  );

  it("replaces no folder and no device", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    // A pipe stands for devices: a fault here would replace one of the machine's own, for root.
    for (const other of [folder, pipe, `${join(folder, "new")}/`]) {
      const written = writeFileAtomic(other, bytes);
      await expect(written).rejects.toThrow(CheckpointError);
      await expect(written).rejects.toThrow(
        `${other.replace(/\/$/, "")} is a folder or a device, expected a file`,
      );
    }
    expect(readdirSync(folder)).toEqual(["pipe"]);
    expect(lstatSync(pipe).isFIFO()).toBe(true);
  });

  it.each([new URL("file:///x"), 7, undefined, Buffer.from("x")])("refuses %s for a path", async (other) => {
    const written = writeFileAtomic(other as unknown as string, bytes);
    await expect(written).rejects.toThrow(CheckpointError);
    await expect(written).rejects.toThrow("The path: got");
  });

  it("writes one of several at a time, whichever is last", async () => {
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(100_000));
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    expect(texts).toContain(readFileSync(path, "utf8"));
    expect(readdirSync(folder)).toEqual(["run.safetensors"]);
  });

  it("leaves the old file, and no other, where what is to be written breaks off", async () => {
    writeFileSync(path, "the one before");
    function* broken() {
      yield bytes;
      throw new Error("no more");
    }
    await expect(writeFileAtomic(path, broken())).rejects.toThrow("no more");
    expect(readFileSync(path, "utf8")).toBe("the one before");
    expect(readdirSync(folder)).toEqual(["run.safetensors"]);
  });

  it("hands on what the system says", async () => {
    await expect(writeFileAtomic(join(folder, "nowhere", "file"), bytes)).rejects.toThrow("ENOENT");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("says so where there are no files", async () => {
    vi.stubGlobal("process", undefined);
    const written = writeFileAtomic(path, bytes);
    vi.unstubAllGlobals();
    await expect(written).rejects.toThrow(CheckpointError);
    await expect(written).rejects.toThrow("writeFileAtomic is for Node, Deno and Bun");
  });
});

describe("writeFileAtomic where not all is permitted", () => {
  const programs = mkdtempSync(join(tmpdir(), "writer-"));
  const program = join(programs, "writer.mjs");
  beforeAll(async () => {
    await build({ ...BUNDLE, entryPoints: ["test/support/writer.ts"], outfile: program, platform: "node" });
    chmodSync(programs, 0o755);
    return () => rmSync(programs, { recursive: true });
  });

  /** Writes texts one after the other in a process of its own, where it can't be root. */
  function write(options: string[], ...texts: string[]) {
    const nobody = isRoot ? { uid: 65_534, gid: 65_534 } : {};
    return spawnSync(process.execPath, [...options, program, path, ...texts], {
      encoding: "utf8",
      ...nobody,
    });
  }

  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  const isOld = major < 22 || (major === 22 && minor < 13);
  const permission = isOld ? "--experimental-permission" : "--permission";

  it("warns once where the folder can't be read", () => {
    writeFileSync(path, "old");
    chmodSync(folder, 0o333);
    const { status, stderr } = write([], "one", "two");
    expect(status, stderr).toBe(0);
    expect(stderr.split("RMSPROP_WASM_UNFLUSHED")).toHaveLength(2);
    expect(stderr).toContain(`can't flush the folder ${folder}`);
    expect(stderr).toContain("EACCES");
    chmodSync(folder, 0o755);
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(readdirSync(folder)).toEqual(["run.safetensors"]);
  });

  it("leaves the old file where none can be made beside it", () => {
    writeFileSync(path, "old");
    chmodSync(path, 0o666);
    chmodSync(folder, 0o555);
    const { status, stderr } = write([], "new");
    expect([status, stderr]).toEqual([1, expect.stringContaining("EACCES")]);
    expect(readFileSync(path, "utf8")).toBe("old");
    chmodSync(folder, 0o755);
  });

  it("keeps the mode where it can't keep the owner", () => {
    writeFileSync(path, "old");
    chmodSync(path, 0o640);
    chmodSync(folder, 0o777);
    const { status, stderr } = write([], "new");
    expect([status, stderr]).toEqual([0, ""]);
    expect(statSync(path)).toMatchObject({ mode: 0o100640, uid: isRoot ? 65_534 : process.getuid!() });
    expect(readFileSync(path, "utf8")).toBe("new");
  });

  it("warns under Node's permission model, before anything is replaced, and writes", () => {
    writeFileSync(path, "old");
    chmodSync(path, 0o600);
    if (isRoot) chownSync(path, 65_534, 65_534);
    chmodSync(folder, 0o777);
    const options = [permission, "--allow-fs-read=*", `--allow-fs-write=${folder}`];
    const { status, stderr } = write(options, "one", "two");
    expect(status, stderr).toBe(0);
    expect(stderr.split("RMSPROP_WASM_UNFLUSHED")).toHaveLength(2);
    expect(stderr).toContain("Node's permission model forbids it");
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(statSync(path).mode).toBe(0o100600);
    expect(readdirSync(folder)).toEqual(["run.safetensors"]);
  });

  it("replaces nothing where the permission model forbids to read or to write", () => {
    writeFileSync(path, "old");
    chmodSync(folder, 0o777);
    for (const granted of [
      ["--allow-fs-read=*"],
      [`--allow-fs-read=${programs}`, `--allow-fs-write=${folder}`],
    ]) {
      const { status, stderr } = write([permission, ...granted], "new");
      expect([status, stderr]).toEqual([1, expect.stringContaining("ERR_ACCESS_DENIED")]);
      expect(readFileSync(path, "utf8")).toBe("old");
      expect(readdirSync(folder)).toEqual(["run.safetensors"]);
    }
  });
});

it("a process that is killed at random, a hundred times, leaves a file that can be loaded", async () => {
  const program = join(folder, "saver.mjs");
  await build({ ...BUNDLE, entryPoints: ["test/support/saver.ts"], outfile: program, platform: "node" });
  const random = seeded(1);
  let steps = 0;
  let halfWritten = 0;
  for (let run = 0; run < 100; run++) {
    const child = spawn(process.execPath, [program, path], { stdio: ["ignore", "pipe", "inherit"] });
    const exit = once(child, "exit");
    await once(child.stdout, "data");
    await setTimeout(random() % 40);
    child.kill("SIGKILL");
    await exit;
    const survivor = load<"w">(readFileSync(path));
    expect(survivor.params.w.every((value) => value === survivor.steps)).toBe(true);
    expect(survivor.steps).toBeGreaterThan(steps);
    steps = survivor.steps;
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".tmp"))) {
      halfWritten++;
      rmSync(join(folder, name));
    }
  }
  expect(halfWritten).toBeGreaterThan(10);
});
