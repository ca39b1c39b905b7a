/** Files in pieces: for what is larger than memory allows at once. */
import { createReadStream, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { CheckpointError, RMSprop } from "rmsprop-wasm";
import { loadChunks, restore, save, saveChunks } from "rmsprop-wasm/checkpoint";
import { describe, expect, it, vi } from "vitest";
import { collectGarbage } from "../support/garbage.ts";
import { expectSame, train } from "../support/runs.ts";
import { fileOf, step, tensor } from "../support/tensor-files.ts";

// biome-ignore lint/suspicious/noExplicitAny: bad input is what some of these tests are about
type Bad = any;

const averaged = (lr: number) => {
  const optimizer = new RMSprop({ w: [700, 900] }, { lr, ema: { decay: 0.5 } });
  train(optimizer, 0, 1);
  return optimizer;
};
type Averaged = ReturnType<typeof averaged>;

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

  it.each<[string, (optimizer: Averaged) => void]>([
    ["averages are swapped", (optimizer) => optimizer.swapEma()],
    ["averages are swapped and swapped back", (optimizer) => [optimizer.swapEma(), optimizer.swapEma()]],
    ["a state is loaded", (optimizer) => optimizer.loadStateDict(optimizer.stateDict())],
    ["a file is restored", (optimizer) => restore(optimizer, save(optimizer))],
    ["a file of as many steps is restored", (optimizer) => restore(optimizer, save(averaged(0.5)))],
    [
      "a hyperparameter takes more state",
      (optimizer) => {
        optimizer.groups[0].centered = true;
        train(optimizer, 1, 2);
      },
    ],
  ])("are none when %s between two of them", (_, change) => {
    const optimizer = averaged(0.25);
    const chunks = saveChunks(optimizer);
    chunks.next();
    change(optimizer);
    expect(() => [...chunks]).toThrow(CheckpointError);
    expect(() => [...saveChunks(averaged(0.25))]).not.toThrow();
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
      "The file: got null, expected a stream, as response.body, or what `for await` takes",
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

describe("chunks of others", () => {
  const optimizer = new RMSprop({ w: [700, 500], b: [33] });
  train(optimizer, 0, 1);
  const bytes = save(optimizer);

  it.each([1, 7, 4096, 2 ** 16, 2 ** 20 + 3])(
    "may share one buffer of %i bytes that is filled anew",
    async (size) => {
      const few = size < 100 ? save(new RMSprop({ w: Float32Array.of(1, 2, 3) })) : bytes;
      async function* reused() {
        const buffer = new Uint8Array(size);
        for (let at = 0; at < few.length; at += size) {
          const piece = few.subarray(at, at + size);
          buffer.set(piece);
          yield buffer.subarray(0, piece.length);
        }
        buffer.fill(0xff);
      }
      expectSame(save(await loadChunks(reused())), few);
    },
  );

  it("may be views of any kind, of memory that threads share, too", async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    const pieces = [
      new DataView(shared.buffer, 0, 8),
      new Uint8ClampedArray(shared.buffer, 8, 1000),
      shared.subarray(1008, 1008),
      shared.subarray(1008),
    ];
    expectSame(save(await loadChunks(pieces as Bad)), bytes);
  });

  it("take a few bytes of memory for each, however small they are", async () => {
    const header = new Uint8Array(8);
    new DataView(header.buffer).setBigUint64(0, 100_000_000n, true);
    const block = new Uint8Array(2 ** 16).fill(0x20);
    const count = 1_000_000;
    const used = () => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const begin = used();
    let most = 0;
    function* pieces() {
      yield header;
      for (let i = 0; i < count; i++) {
        if (i % 100_000 === 0) {
          collectGarbage();
          most = Math.max(most, used() - begin);
        }
        yield block.subarray(i % 2 ** 16, (i % 2 ** 16) + 1);
      }
    }
    await expect(loadChunks(pieces())).rejects.toThrow("within its header");
    // The list of pieces of an earlier version took 130 to 300 bytes for each.
    expect(most).toBeLessThan(20 * count);
  });

  it("go into a memory that grows meanwhile", async () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    async function* growing() {
      for (let at = 0; at < bytes.length; at += 100_000) {
        yield bytes.subarray(at, at + 100_000);
        memory.grow(1);
      }
    }
    const loaded = await loadChunks(growing(), { memory });
    expect(loaded.memory).toBe(memory);
    expectSame(save(loaded), bytes);
  });

  it("take bytes that lie in the memory which grows for them", async () => {
    const memory = new WebAssembly.Memory({ initial: 1 + Math.ceil(bytes.length / 2 ** 16) });
    const within = new Uint8Array(memory.buffer, 5, bytes.length);
    within.set(bytes);
    const loaded = await loadChunks([within], { memory });
    expect(loaded.memory).toBe(memory);
    expectSame(save(loaded), bytes);
  });
});

/** A stream as Safari has it up to version 26: without an async iterator. */
function streamOf(pieces: readonly unknown[], cancel: (reason?: unknown) => Promise<void>) {
  let at = 0;
  const releaseLock = vi.fn();
  const read = async () => (at < pieces.length ? { done: false, value: pieces[at++] } : { done: true });
  return { getReader: () => ({ read, cancel, releaseLock }), releaseLock, read: () => at };
}

describe("a stream without an iterator", () => {
  const bytes = save(new RMSprop({ w: Float32Array.of(1, 2, 3) }));
  const pieces = [bytes.subarray(0, 50), new Uint8Array(0), bytes.subarray(50)];

  it("is read by its reader, and released", async () => {
    const cancel = vi.fn(async () => {});
    const stream = streamOf(pieces, cancel);
    expectSame(save(await loadChunks(stream as Bad)), bytes);
    expect(cancel).not.toHaveBeenCalled();
    expect(stream.releaseLock).toHaveBeenCalledTimes(1);
  });

  it("is read where a real one has lost its iterator", async () => {
    const { body } = new Response(bytes);
    const { getReader } = body!;
    const bare = { getReader: getReader.bind(body) };
    expectSame(save(await loadChunks(bare as Bad)), bytes);
    expect(body!.locked).toBe(false);
  });

  it.each([
    ["a malformed file", [bytes.slice().fill(0, 8), ...pieces], CheckpointError, 1],
    ["a piece that isn't bytes", [pieces[0], "text", pieces[2]], CheckpointError, 2],
    ["bytes behind the end", [bytes, Uint8Array.of(0), bytes], CheckpointError, 2],
  ])("is cancelled at the first error: %s", async (_, given, expected, read) => {
    const cancel = vi.fn(async () => {
      throw new Error("what becomes of the cancellation doesn't matter");
    });
    const stream = streamOf(given, cancel);
    await expect(loadChunks(stream as Bad)).rejects.toThrow(expected);
    expect(cancel).toHaveBeenCalledTimes(1);
    expect(stream.releaseLock).toHaveBeenCalledTimes(1);
    expect(stream.read()).toBe(read);
  });
});
