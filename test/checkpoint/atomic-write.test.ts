/** Files that are never half written, also where a process is killed while it saves. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { build } from "esbuild";
import { CheckpointError, RMSprop } from "rmsprop-wasm";
import { load, save, saveChunks, writeFileAtomic } from "rmsprop-wasm/checkpoint";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { BUNDLE } from "../../tools/bundle.mjs";
import { seeded } from "../support/kernels.ts";

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
    await expect(writeFileAtomic(folder, bytes)).rejects.toThrow(/EISDIR|ENOTEMPTY|EPERM/);
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
}, 300_000);
