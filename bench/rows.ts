/** Steps by some rows of a table beside dense ones, in turn in one process. */
import { spreadOf } from "../tools/spread.ts";
import { RMSprop } from "./built.ts";
import { type Figure, figureOf } from "./result.ts";

const ROWS = 100_000;
/** Rows of one step: each row comes back after a hundred steps, on average. */
const TOUCHED = 1000;

/** Figures of tables with rows of 64, and of 8, for which the fixed cost of a row shows. */
export function rowFigures(rounds: number): Figure[] {
  const lazy = timesOf(64, "lazy", rounds);
  const exact = timesOf(64, "exact", rounds);
  const narrow = timesOf(8, "exact", rounds);
  const byDense = ({ dense, byRows }: Times) => byRows.map((time) => spreadOf(dense).median / time);
  const perRow = byDense(exact).map((ratio) => ROWS / TOUCHED / ratio);
  const nanoseconds = narrow.byRows.map((time) => (time / TOUCHED) * 1e6);
  const rows = "1,000 of 100,000 rows";
  return [
    figureOf("lazyRows", `${rows} of 64, a dense step by a lazy one`, "×", byDense(lazy)),
    figureOf("exactRows", `${rows} of 64, a dense step by an exact one`, "×", byDense(exact)),
    figureOf("rowByDense", "a row of 64 by the same row in a dense step, exact", "×", perRow),
    figureOf("narrowRow", `${rows} of 8, exact, each`, "ns", nanoseconds),
  ];
}

type Table = InstanceType<typeof RMSprop<{ e: number[] }>>;

interface Times {
  dense: number[];
  byRows: number[];
}

/** The times of steps in milliseconds, once most rows have been touched. */
function timesOf(width: number, sparse: "exact" | "lazy", rounds: number): Times {
  const times: Times = { dense: [], byRows: [] };
  const options = { lr: 1e-3, backend: "wasm" } as const;
  const [dense, byRows] = [undefined, sparse].map(
    (sparse) => new RMSprop({ e: [ROWS, width] }, { ...options, sparse }),
  ) as [Table, Table];
  const next = drawing();
  for (const { grads } of [dense, byRows]) grads.e.set(Float32Array.from(grads.e, () => next() - 0.5));
  for (let round = -200; round < rounds; round++) {
    const rows = { e: Uint32Array.from({ length: TOUCHED }, () => next() * ROWS) };
    const start = performance.now();
    byRows.step({ rows });
    const between = performance.now();
    if (round % 10 === 0) dense.step();
    if (round < 0) continue;
    times.byRows.push(between - start);
    if (round % 10 === 0) times.dense.push(performance.now() - between);
  }
  dense.dispose();
  byRows.dispose();
  return times;
}

/** Numbers from 0 to 1, the same in every run. */
function drawing(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
