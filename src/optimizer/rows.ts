/**
 * Steps by rows: lists of the rows that have a gradient, and for each row the number of steps up to which it is up to date.
 * The kernels keep neither: each call hands them some rows of a step, and the factors of the steps that each row has missed.
 */

import { show } from "../base/show.ts";
import { OptionError } from "../errors.ts";
import { IDLE, type Kernel, MOVES_BYTES, POWERS, ROWWISE, type Scalars } from "../kernel/contract.ts";
import type { Arena } from "../memory/arena.ts";
import { rangeAt } from "../memory/ranges.ts";
import type { Hyperparameters } from "../options/hyperparameters.ts";
import { type Missed, movesIdle } from "../options/missed.ts";
import type { RowIndices, RowsByName, Shard } from "../options/step-options.ts";
import { RowList } from "./row-list.ts";
import type { Tensor, TensorGroup } from "./tensor.ts";

/** The most rows that one call of a kernel takes: without and with an entry of factors for each, as `writeMoves` writes it. */
const AT_ONCE = 2048;
const ENTRIES_AT_ONCE = 512;

/**
 * Bytes of the lists that a call takes: powers and entries, which are doubles, then the numbers of rows and their last
 * steps. They begin at a multiple of 8, for which there are 4 bytes more: an allocator may give an address between two.
 */
const POWERS_BYTES = POWERS * 8;
const ENTRIES_BYTES = ENTRIES_AT_ONCE * MOVES_BYTES;
const LIST_BYTES = AT_ONCE * 4;
const LISTS_BYTES = POWERS_BYTES + ENTRIES_BYTES + 2 * LIST_BYTES;
/** A shared memory has the lists twice: a worker that was given up may still read the first while the step goes on with the second. */
const listsBytesIn = ({ isShared }: Arena) => 4 + LISTS_BYTES * (isShared ? 2 : 1);

export type RowLists = ReadonlyMap<Tensor, RowList>;

/** The steps by rows of one optimizer. */
export class Rows {
  readonly #arena: Arena;
  readonly #groups: readonly TensorGroup[];
  readonly #byName: ReadonlyMap<string, Tensor>;
  /** Byte offset of the kernels' lists, 0 before the first use. */
  #lists = 0;
  /** The number of tensors that are updated by rows. */
  tables = 0;

  constructor(arena: Arena, groups: readonly TensorGroup[], tensors: ReadonlyMap<string, Tensor>) {
    this.#arena = arena;
    this.#groups = groups;
    this.#byName = tensors;
    for (const { rowSteps } of tensors.values()) if (rowSteps !== 0) this.tables++;
  }

  /** Bytes to leave free in a memory that is made here, so that the first step by rows needn't grow it and empty all views. */
  get roomBytes(): number[] {
    const tables = [...this.#byName.values()].flatMap(({ rows }) => rows?.count ?? []);
    return tables.length === 0 ? [] : [listsBytesIn(this.#arena), ...tables.map((count) => count * 4)];
  }

  /**
   * Places the counts of groups that are sparse from the beginning, or have one mean square for each row. An optimizer that is
   * attached places its lists at its first step by rows: nothing in a memory gets free again, so those that are attached for an
   * evaluation would use it up.
   */
  start(): void {
    const groups = this.#groups.filter(
      ({ hyperparameters: { sparse, rowwiseState }, arePlaced }) =>
        (sparse !== undefined || rowwiseState) && !arePlaced,
    );
    for (const { tensors, hyperparameters } of groups) refuseCoupled(tensors[0]!.name, hyperparameters);
    const tables = groups.flatMap(({ tensors }) => tensors.filter(({ rows }) => rows));
    if (tables.length > 0) this.track(tables, 0);
  }

  /** Checks the rows of a step or a catch-up: all of them, or an error and nothing changed. */
  read(given: RowsByName): RowLists {
    const lists = new Map<Tensor, RowList>();
    for (const [name, indices] of Object.entries(given)) {
      const tensor = this.#find(name);
      // Copies: the memory may grow before they are used, and `report` reads them when the caller may have changed the originals.
      lists.set(tensor, new RowList(this.#listOf(tensor, indices)));
    }
    return lists;
  }

  #find(name: string): Tensor {
    const found = this.#byName.get(name);
    if (!found) {
      throw new OptionError(
        `Option rows: there is no parameter ${show(name)}; there are ${show([...this.#byName.keys()])}.`,
      );
    }
    if (found.group.weights) throw notByRows("rows");
    if (!found.rows) {
      const given = found.shape ? `the shape ${show(found.shape)}` : "no shape";
      throw new OptionError(
        `Option rows: ${show(name)} has ${given}, expected at least two dimensions: give it a shape, as [100_000, 64].`,
      );
    }
    return found;
  }

  #listOf({ name, rows }: Tensor, indices: RowIndices): Uint32Array {
    const { count } = rows!;
    const given = this.#numbersOf(name, indices);
    const list = new Uint32Array(given.length);
    // One loop: `from` and `findIndex` take four times as long.
    for (let i = 0; i < list.length; i++) {
      const row: unknown = given[i];
      if (typeof row === "number") list[i] = row;
      if (list[i]! < count && list[i] === row) continue;
      throw new OptionError(
        `Option rows: got ${show(row)} at ${i} of ${show(name)}, expected a whole number from 0 to ${count - 1}.`,
      );
    }
    return list;
  }

  #numbersOf(name: string, indices: RowIndices): ArrayLike<number> {
    if (typeof indices === "object" && indices !== null && "length" in indices) return indices;
    const { ptr, count, ...others } = Object(indices) as Record<string, unknown>;
    const isRange = Number.isInteger(count) && (count as number) >= 0 && Object.keys(others).length === 0;
    if (!isRange) {
      throw new OptionError(
        `Option rows: got ${show(indices)} for ${show(name)}, expected an array of numbers, a Uint32Array, or { ptr, count } of uint32 in the memory.`,
      );
    }
    const { buffer } = this.#arena.memory;
    const range = rangeAt(`Rows of ${show(name)}`, ptr, (count as number) * 4, buffer.byteLength, 4);
    return new Uint32Array(buffer, range.ptr, count as number);
  }

  /**
   * Does everything else that may fail in a step by rows, before anything is updated. It refuses options that can't be
   * exact, and rows that are behind if steps have moved them meanwhile, and places counts for tensors that had none.
   */
  prepare(lists: RowLists | undefined, step: number): void {
    if (!lists && this.tables === 0) return;
    for (const { name, group } of lists?.keys() ?? []) refuseCoupled(name, group.hyperparameters);
    for (const group of this.#groups) {
      if (!movesIdle(group.hyperparameters)) continue;
      for (const tensor of group.tensors) {
        if (tensor.rowSteps !== 0) refuseBehind(tensor, lists?.get(tensor)?.given, step);
      }
    }
    this.track(
      [...(lists?.keys() ?? [])].filter(({ rowSteps }) => rowSteps === 0),
      step,
    );
  }

  /** Bytes of the counts of tensors that have none, and of the lists before their first use. */
  bytesOf(tensors: readonly Tensor[]): number[] {
    if (tensors.length === 0 && (this.#lists !== 0 || this.tables === 0)) return [];
    if (tensors.some(({ name }) => this.#find(name).group.arePlaced)) throw withoutCounts();
    const counts = tensors.map(({ rows }) => rows!.count * 4);
    return this.#lists === 0 ? [...counts, listsBytesIn(this.#arena)] : counts;
  }

  /**
   * Begins to count the steps of rows, for tensors that are up to date by `step`. The counts, and the lists if there are
   * none yet, get the addresses in `placed`, in the order of `bytesOf`; by default, room is allocated here.
   */
  track(tensors: readonly Tensor[], step: number, placed?: readonly number[]): void {
    const bytes = this.bytesOf(tensors);
    if (bytes.length === 0) return;
    const ptrs = placed ?? this.#arena.allocatePlanes(bytes);
    this.#lists ||= Math.ceil(ptrs.at(-1)! / 8) * 8;
    this.tables += tensors.length;
    tensors.forEach((tensor, i) => {
      tensor.rowSteps = ptrs[i]!;
      if (step > 0) tensor.stepsOfRows.fill(step);
    });
    for (const group of new Set(tensors.map(({ group }) => group))) group.settle();
  }

  /**
   * Brings rows of a tensor up to date and, unless the job is a catch-up, updates them: those of a list, or all rows, from
   * place `from` to before place `to`.
   */
  run(kernel: Kernel, tensor: Tensor, missed: Missed, job: RowJob): void {
    const { list, from, to, step, emaDecay, isCatchUp } = job;
    const variant = job.scalars.variant | (tensor.isRowwise ? ROWWISE : 0) | (isCatchUp ? IDLE : 0);
    const scalars = { ...job.scalars, variant };
    const segment = tensor.rowSegment;
    const upTo = tensor.stepsOfRows;
    const hasEntries = missed.movesMore(emaDecay);
    const atOnce = hasEntries ? ENTRIES_AT_ONCE : AT_ONCE;
    const next = isCatchUp ? step : step + 1;
    for (let i = from; i < to; ) {
      const { powers, entries, rows, steps } = this.#listsFor(kernel);
      powers.set(missed.powers);
      let count = 0;
      for (; i < to && count < atOnce; i++) {
        const row = list ? list[i]! : i;
        const before = upTo[row]!;
        // Such a row is a repetition, or has been updated in another share of this step.
        if (before >= next) continue;
        if (hasEntries && before < step) missed.writeMoves(entries, count, step - before, step, emaDecay);
        upTo[row] = next;
        rows[count] = row;
        steps[count++] = before;
      }
      if (count === 0) continue;
      kernel.updateRows(segment, scalars, {
        ptr: rows.byteOffset,
        count,
        steps: steps.byteOffset,
        now: step,
        averageKept: missed.averageKept,
        powers: powers.byteOffset,
        moves: hasEntries ? entries.byteOffset : 0,
      });
    }
  }

  #listsFor(kernel: Kernel) {
    const { buffer } = this.#arena.memory;
    const powersAt = this.#lists + (kernel.hasLate?.() ? LISTS_BYTES : 0);
    const entriesAt = powersAt + POWERS_BYTES;
    const rowsAt = entriesAt + ENTRIES_BYTES;
    return {
      powers: new Float64Array(buffer, powersAt, POWERS),
      entries: new Float64Array(buffer, entriesAt, ENTRIES_BYTES / 8),
      rows: new Uint32Array(buffer, rowsAt, AT_ONCE),
      steps: new Uint32Array(buffer, rowsAt + LIST_BYTES, AT_ONCE),
    };
  }
}

/** The error of an optimizer whose handle was made before the rows were counted: its dense steps would leave the counts as they are. */
export function withoutCounts(): OptionError {
  return new OptionError(
    "This optimizer was attached before rows were counted: attach anew, or set sparse at the start.",
  );
}

/** Rows to bring up to date, or to update. */
export interface RowJob {
  /** Undefined for all rows. */
  readonly list: Uint32Array | undefined;
  readonly from: number;
  readonly to: number;
  /** Steps taken before. */
  readonly step: number;
  readonly emaDecay: number | undefined;
  readonly scalars: Scalars;
  /** Whether rows are brought up to date alone, and not updated. */
  readonly isCatchUp: boolean;
}

/** The part of a step by rows, or of one by all rows, that belongs to a share. */
export function rowsIn(
  tensor: Tensor,
  list: RowList | undefined,
  shard: Shard | undefined,
): Pick<RowJob, "list" | "from" | "to"> {
  const rows = shard ? list?.sorted : list?.given;
  const count = rows?.length ?? tensor.rows!.count;
  const at = (i: number) => Math.floor((count * i) / (shard?.count ?? 1));
  return { list: rows, from: at(shard?.index ?? 0), to: at((shard?.index ?? 0) + 1) };
}

/**
 * The sum of the squares of the gradients of rows: each run of neighbours as one gradient, from first to last. Workers don't
 * share it: of the 100 ns for a scattered row of 64, 30 go into the sum, mostly the wait for memory that the update then
 * doesn't have, and the others into the list.
 */
export function sumOfRows(kernel: Kernel, tensor: Tensor, list: RowList, scale: number): number {
  const { grad, count } = tensor.rowSegment;
  let sum = 0;
  for (const run of list.runs) {
    sum += kernel.sumOfSquares(grad + run.first * count * kernel.real.bytes, run.count * count, scale);
  }
  return sum;
}

/** Refuses rows that have missed steps which move them: a forward pass has read them where dense steps wouldn't have left them. */
function refuseBehind(tensor: Tensor, list: Uint32Array | undefined, step: number): void {
  const steps = tensor.stepsOfRows;
  const isBehind = list ? list.some((row) => steps[row]! < step) : steps.some((upTo) => upTo < step);
  if (!isBehind) return;
  const name = show(tensor.name);
  throw new OptionError(
    `Rows of ${name} have missed steps, in which momentum or weight decay moves them: call catchUp({ ${name}: rows }) before the forward pass reads them, or set sparse to "lazy".`,
  );
}

/** `scheduleFree` and a learned rate move every element at each step, whether it has a gradient or not. */
export function notByRows(option: string): OptionError {
  return new OptionError(
    `Option ${option} leaves rows where they are, and scheduleFree moves all of them at each step, as lr: "auto" does: leave out one.`,
  );
}

/** Refuses to step by rows exactly where weight decay makes a gradient for each of them. */
export function refuseCoupled(
  name: string,
  { sparse, weightDecay, decoupledWeightDecay }: Hyperparameters,
): void {
  if (sparse === "lazy" || weightDecay === 0 || decoupledWeightDecay) return;
  throw new OptionError(
    `Option weightDecay makes a gradient for every row of ${show(name)}, which steps by rows leave out: set decoupledWeightDecay, or set sparse to "lazy".`,
  );
}
