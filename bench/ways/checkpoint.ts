/**
 * Saving, loading and restoring. Few large tensors stand beside a copy of the same bytes, into new memory, as a file's, or over
 * old bytes; many small ones beside the engine's own reader of the header, which any reader of such a file runs or replaces.
 */
import { load, restore, save } from "../built.ts";
import { type Runner, timing, type Way } from "../way.ts";
import { countOf, type Work } from "../work.ts";
import { sharedOptimizer } from "./ours.ts";

/** Parameters, square averages and momentum, once read and once written. */
const MOVED_BYTES = 2 * 12;

function way(name: string, title: string, make: (work: Work) => () => unknown): Way {
  return {
    name,
    title,
    movedBytes: MOVED_BYTES,
    supports: ({ variant }) => variant === "momentum",
    prepare(work): Runner {
      const optimizer = sharedOptimizer(work);
      const act = make(work);
      return {
        reset() {},
        time: timing(act),
        read: () => optimizer.params.t0!.slice(0, countOf(work)),
        dispose() {},
      };
    },
  };
}

export const saving = way("save", "save()", (work) => {
  const optimizer = sharedOptimizer(work);
  return () => save(optimizer);
});

export const copying = way("save-copy", "a copy of those bytes", (work) => {
  const bytes = save(sharedOptimizer(work));
  return () => bytes.slice();
});

export const restoring = way("restore", "restore()", (work) => {
  const optimizer = sharedOptimizer(work);
  const bytes = save(optimizer);
  optimizer.params.t0!.fill(0);
  restore(optimizer, bytes);
  if (Buffer.compare(save(optimizer), bytes) !== 0) throw new Error("restore() doesn't restore.");
  return () => restore(optimizer, bytes);
});

export const loading = way("load", "load()", (work) => {
  const bytes = save(sharedOptimizer(work));
  return () => load(bytes).dispose();
});

export const parsing = way("header", "JSON.parse of the file's header", (work) => {
  const bytes = save(sharedOptimizer(work));
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = bytes.subarray(8, 8 + length);
  return () => JSON.parse(new TextDecoder().decode(header));
});

export const overwriting = way("restore-copy", "a copy over as many bytes", (work) => {
  const bytes = save(sharedOptimizer(work));
  const target = bytes.slice();
  return () => target.set(bytes);
});
