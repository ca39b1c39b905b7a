/** Files in pieces: for what is larger than memory allows at once. */
import { createReadStream, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { CheckpointError, RMSprop } from "rmsprop-wasm";
import { loadChunks, restore, save, saveChunks } from "rmsprop-wasm/checkpoint";
import { describe, expect, it, vi } from "vitest";
import { expectSame, train } from "../support/runs.ts";
import { fileOf, step, tensor } from "../support/tensor-files.ts";

// biome-ignore lint/suspicious/noExplicitAny: bad input is what some of these tests are about
type Bad = any;

describe("chunks", () => {
  const make = () => {
    const optimizer = new RMSprop({ w: [700, 900], b: [33] }, { momentum: 0.9 });
    train(optimizer, 0, 1);
    return optimizer;
  };

  it("are what save gives, none above a mebibyte, and none a view", () => {
    const optimizer = make();
    const chunks = [...saveChunks(optimizer)];
    expect(Math.max(...chunks.map(({ length }) => length))).toBe(2 ** 20);
    const bytes = Buffer.concat(chunks);
    train(optimizer, 1, 2);
    expect(bytes.equals(Buffer.concat(chunks))).toBe(true);
    train(optimizer, 2, 3);
    restore(optimizer, bytes);
    expect(bytes.equals(save(optimizer))).toBe(true);
  });

  it("are of one moment, or none", () => {
    const optimizer = make();
    const chunks = saveChunks(optimizer);
    chunks.next();
    train(optimizer, 1, 2);
    expect(() => chunks.next()).toThrow(CheckpointError);
    const others = saveChunks(optimizer);
    others.next();
    optimizer.memory.grow(1);
    expect(() => [...others]).toThrow("The optimizer took a step or another state, or its memory grew");
  });

  it("may be cut anywhere", async () => {
    const optimizer = new RMSprop({ w: [30], b: [3] }, { centered: true });
    train(optimizer, 0, 3);
    const bytes = save(optimizer);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 20 }), async (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end));
        expectSame(save(await loadChunks(chunks)), bytes);
      }),
    );
    const ones = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expectSame(save(await loadChunks(ones)), bytes);
  });

  it("come from files, responses and generators", async () => {
    const optimizer = make();
    const bytes = save(optimizer);
    const path = join(mkdtempSync(join(tmpdir(), "chunks-")), "run.safetensors");
    writeFileSync(path, bytes);
    for (const chunks of [createReadStream(path), new Response(bytes).body!, saveChunks(optimizer)]) {
      expectSame(save(await loadChunks(chunks as AsyncIterable<Uint8Array>)), bytes);
    }
  });

  it("of other types are converted on the way", async () => {
    const values = Float64Array.from({ length: 300_000 }, (_, i) => i / 7);
    const file = fileOf({
      w: tensor("F64", values),
      "state.w.square_avg": tensor("F64", values),
      "state.w.step": step(1),
    });
    const optimizer = await loadChunks<"w">([file.subarray(0, 1_000_001), file.subarray(1_000_001)]);
    expect([...optimizer.params.w]).toEqual([...Float32Array.from(values)]);
  });

  it("that end early, go on too long, or are none", async () => {
    const bytes = save(new RMSprop({ w: [3] }));
    for (let length = 0; length < bytes.length; length++) {
      await expect(loadChunks([bytes.subarray(0, length)])).rejects.toThrow(CheckpointError);
    }
    await expect(loadChunks([bytes.subarray(0, -1)])).rejects.toThrow(
      `The file ends at byte ${bytes.length - 1}, and its tensors at ${bytes.length}`,
    );
    await expect(loadChunks([bytes, Uint8Array.of(0)])).rejects.toThrow(
      "The file ends later, and its tensors at",
    );
    await expect(loadChunks(["text"] as Bad)).rejects.toThrow('A chunk of the file: got "text"');
    await expect(loadChunks(null as Bad)).rejects.toThrow(
      "The file: got null, expected a stream, or what `for await` takes",
    );
    await expect(loadChunks(7 as Bad)).rejects.toThrow(CheckpointError);
  });

  it("are closed, whatever becomes of them", async () => {
    const close = vi.fn();
    async function* source(bytes: Uint8Array) {
      try {
        yield bytes;
        yield new Uint8Array(0);
        throw new Error("a broken pipe");
      } finally {
        close();
      }
    }
    const bytes = save(new RMSprop({ w: [3] }));
    await expect(loadChunks(source(bytes))).rejects.toThrow("a broken pipe");
    await expect(loadChunks(source(bytes.slice().fill(0, 8)))).rejects.toThrow(CheckpointError);
    expect(close).toHaveBeenCalledTimes(2);
  });
});
