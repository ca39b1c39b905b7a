/**
 * The raw layer: the WebAssembly kernels over a memory, by byte offsets, for callers whose tensors stand in the memory of
 * a WebAssembly module of their own. It throws the error classes of `rmsprop-wasm`.
 *
 * @module rmsprop-wasm/core
 */
import { FLOAT32 } from "./base/real.ts";
import { refuseSurplus, unknownOption } from "./base/rules.ts";
import { show } from "./base/show.ts";
import { MemoryError, OptionError } from "./errors.ts";
import { BY_ROW, CENTERED, IDLE, MOMENTUM, type Rows, type Scalars } from "./kernel/contract.ts";
import { KERNELS } from "./kernel/module.ts";
import { segmentAt } from "./kernel/segment.ts";
import { openWasm } from "./kernel/wasm.ts";
import { checkMemory } from "./memory/layout.ts";
import { areApart, type Range, rangeAt } from "./memory/ranges.ts";
import { learningRateAt } from "./options/hyperparameters.ts";
import { scalarsOf } from "./options/scalars.ts";
import { type CoreOptions, resolveCoreOptions } from "./options/step-options.ts";

export type { CoreHyperparameters, Schedule } from "./options/hyperparameters.ts";
export type { CoreOptions } from "./options/step-options.ts";

/**
 * The places of one tensor and its state: byte offsets, multiples of 4, of planes that do not overlap. Offsets above 2 GiB
 * may be negative, as the exports of modules give them.
 */
export interface TensorPtrs {
  /** The parameter, which an update changes. */
  param: number;
  /** Its gradient, which an update reads, and sets to zero with `zeroGrad`. */
  grad: number;
  /** Running average of the squared gradient; zeros before the first update. */
  squareAvg: number;
  /** Needed with `momentum`; zeros before the first update. */
  momentumBuffer?: number;
  /** Running average of the gradient, needed with `centered`; zeros before the first update. */
  gradAvg?: number;
  /** Number of elements (float32) in each plane. */
  count: number;
}

/** The places of a table and its state, as those of any tensor, and the length of its rows. */
export interface TablePtrs extends TensorPtrs {
  /** Elements of a row: `count` is a multiple of it. */
  width: number;
  /**
   * Byte offset of a uint32 for each row: the number of updates up to which the row is up to date; zeros before the first one.
   * With it, averages first get the decay of the updates that a row has missed, as updates of the whole table would give it.
   */
  rowSteps?: number;
}

/** Numbers of rows in the memory: uint32, in ascending order, each once. */
export interface RowsPtr {
  /** Byte offset of the first number. */
  ptr: number;
  /** How many there are. */
  count: number;
}

/** The kernels, bound to one memory. */
export interface Core {
  /**
   * Updates `param` and its state in place from `grad`, in the order of operations that docs/numerics.md writes out.
   *
   * @param tensor The places of the tensor and its state.
   * @param options Hyperparameters, `gradScale`, `zeroGrad`, and `step`, the number of updates made before.
   * @throws OptionError for a hyperparameter out of range, or one whose state has no address.
   * @throws MemoryError for an address that is misaligned, outside the memory, or in another plane.
   */
  update(tensor: TensorPtrs, options?: CoreOptions): void;
  /**
   * Does what `update` does for some rows of a table. All other rows and their state stand still. Without `rowSteps`, the
   * updates that a row misses are as if they had never been; with it, its averages lose by `alpha ** missed` before the
   * update, in float64 and rounded once, and its count becomes `step + 1`.
   *
   * @param table The places of the table and its state.
   * @param rows The list of rows.
   * @param options Those of `update`.
   * @throws OptionError for a row that the table doesn't have, rows that aren't in ascending order, and as `update` does;
   * with `rowSteps`, for a count above `step`, and for `momentum` and `weightDecay`, which move rows that have no gradient.
   * @throws MemoryError as `update` does, for the list and the counts too.
   */
  updateRows(table: TablePtrs, rows: RowsPtr, options?: CoreOptions): void;
  /**
   * Brings averages of rows up to date by `step`, without an update: before `alpha` changes, before `update` takes the whole
   * table, or before the state is read.
   *
   * @param table The places of the table, its state and `rowSteps`.
   * @param rows The list of rows.
   * @param options Those of the next `updateRows`.
   * @throws OptionError as `updateRows` does, and without `rowSteps`.
   * @throws MemoryError as `updateRows` does.
   */
  catchUpRows(table: TablePtrs, rows: RowsPtr, options?: CoreOptions): void;
  /**
   * Sums the squares of a gradient, in float64 and in an order that depends on `count` alone.
   *
   * @returns the sum. Its root is the L2 norm, to clip by with `gradScale`; it is finite exactly if every element is.
   * @throws MemoryError for an address that is misaligned or outside the memory.
   */
  sumOfSquares(gradient: { grad: number; count: number }): number;
}

/**
 * Binds the kernels to any memory, shared or not: your own, or another module's. They keep nothing in it.
 *
 * @param memory The memory in which the tensors stand.
 * @returns the two kernels.
 * @throws BackendError where the engine has no WebAssembly SIMD or the page forbids WebAssembly.
 * @throws MemoryError for a memory with 64-bit addresses.
 * @example
 * ```ts
 * import { instantiate } from "rmsprop-wasm/core";
 *
 * const memory = new WebAssembly.Memory({ initial: 1 });
 * const { update, sumOfSquares } = instantiate(memory);
 * const count = 4;
 * const param = new Float32Array(memory.buffer, 1024, count);
 * const grad = new Float32Array(memory.buffer, 2048, count);
 * grad.fill(2);
 * const clipped = 1 / Math.sqrt(sumOfSquares({ grad: 2048, count })); // to a norm of 1
 * clipped; // → 0.25
 * update({ param: 1024, grad: 2048, squareAvg: 3072, count }, { lr: 0.5, alpha: 0.75, eps: 1 });
 * param; // → [-0.5, -0.5, -0.5, -0.5]
 * ```
 */
export function instantiate(memory: WebAssembly.Memory): Core;
export function instantiate(memory: WebAssembly.Memory, other?: unknown): Core {
  refuseSurplus("instantiate", [other]);
  if (Object.prototype.toString.call(memory) !== "[object WebAssembly.Memory]") {
    throw new MemoryError(`instantiate: got ${show(memory)}, expected a WebAssembly.Memory.`);
  }
  checkMemory(memory);
  const kernel = openWasm(memory, KERNELS);
  const segmentOf = (given: TensorPtrs, options: CoreOptions) => {
    const tensor: TensorPtrs = Object(given); // of undefined, an object without a count
    const resolved = resolveCoreOptions(options, FLOAT32);
    const { step, gradScale, zeroGrad } = resolved;
    const lr = learningRateAt(resolved.lr, step, FLOAT32);
    const scalars = scalarsOf(resolved, lr, { step, gradScale, zeroGrad, emaDecay: undefined }, FLOAT32);
    const { variant } = scalars;
    const { param, grad, squareAvg, count } = tensor;
    const [hasMomentum, isCentered] = [(variant & MOMENTUM) !== 0, (variant & CENTERED) !== 0];
    const names = ["param", "grad", "squareAvg"];
    const ptrs: unknown[] = [param, grad, squareAvg];
    if (hasMomentum) ptrs[names.push("momentumBuffer") - 1] = tensor.momentumBuffer;
    if (isCentered) ptrs[names.push("gradAvg") - 1] = tensor.gradAvg;
    const ranges = checkPlanes(names, ptrs, count, memory);
    const places = Object.fromEntries(ranges.map(({ ptr }, i) => [names[i], ptr]));
    const segment = segmentAt(places, count);
    return { segment, scalars, ranges };
  };
  const updateRows = (table: TablePtrs, list: RowsPtr, options: CoreOptions, isIdle: boolean) => {
    const { segment, scalars, ranges } = segmentOf(table, options);
    // A misspelt `rowSteps` would update lazily without a word.
    const other = Object.keys(table).find((name) => !TABLE_MEMBERS.includes(name));
    if (other !== undefined) throw unknownOption(other, TABLE_MEMBERS);
    const { width, rowSteps } = table;
    const { ptr: listPtr, count }: RowsPtr = Object(list);
    if (!(Number.isInteger(width) && width > 0 && segment.count % width === 0)) {
      throw new OptionError(
        `width: got ${show(width)}, expected a whole number of elements, of which count ${segment.count} is a multiple.`,
      );
    }
    const total = segment.count / width;
    const range = rowsAt(listPtr, count, total, memory);
    if (count > 0) refuseOverlap(range, ranges);
    const { ptr } = range;
    const ofRow = segmentAt(segment, width);
    if (rowSteps === undefined && !isIdle) {
      kernel.updateRows(ofRow, scalars, { ...UP_TO_DATE, ptr, count });
      return;
    }
    const { step = 0, alpha: averageKept } = resolveCoreOptions(options, FLOAT32);
    const steps = rowStepsAt(rowSteps, total, count > 0 ? [...ranges, range] : ranges, scalars, memory);
    const numbers = new Uint32Array(memory.buffer, ptr, count);
    for (const row of numbers) {
      if (steps[row]! <= step && step < 2 ** 32 - 1) continue;
      throw new OptionError(
        `rowSteps: row ${row} is up to date by ${steps[row]} updates, and step is ${step}: give the number of updates made before, below 2 ** 32 - 1.`,
      );
    }
    const variant = scalars.variant | BY_ROW | (isIdle ? IDLE : 0);
    const behind = { steps: steps.byteOffset, now: step, averageKept };
    kernel.updateRows(ofRow, { ...scalars, variant }, { ...UP_TO_DATE, ...behind, ptr, count });
    for (const row of numbers) steps[row] = isIdle ? step : step + 1;
  };
  return {
    update(tensor, options = {}, other?: unknown) {
      refuseSurplus("update", [other]);
      const { segment, scalars } = segmentOf(tensor, options);
      kernel.update(segment, scalars);
    },
    updateRows(table, rows, options = {}, other?: unknown) {
      refuseSurplus("updateRows", [other]);
      updateRows(table, rows, options, false);
    },
    catchUpRows(table, rows, options = {}, other?: unknown) {
      refuseSurplus("catchUpRows", [other]);
      updateRows(table, rows, options, true);
    },
    sumOfSquares(gradient, other?: unknown) {
      refuseSurplus("sumOfSquares", [other]);
      const { grad, count }: typeof gradient = Object(gradient);
      const [range] = checkPlanes(["grad"], [grad], count, memory);
      return kernel.sumOfSquares(range!.ptr, count, 1);
    },
  };
}

const TABLE_MEMBERS: readonly string[] = [
  "param",
  "grad",
  "squareAvg",
  "momentumBuffer",
  "gradAvg",
  "count",
  "width",
  "rowSteps",
] satisfies (keyof TablePtrs)[];

const UP_TO_DATE = { steps: 0, now: 0, averageKept: 1, powers: 0, moves: 0 } as const satisfies Partial<Rows>;

/** Checks a list of rows, and gives its range. */
function rowsAt(ptr: unknown, count: number, rows: number, memory: WebAssembly.Memory): Range {
  if (!Number.isInteger(count) || count < 0) {
    throw new MemoryError(`rows.count: got ${show(count)}, expected a whole number of rows.`);
  }
  const { buffer } = memory;
  const range = rangeAt("rows.ptr", ptr, count * 4, buffer.byteLength, 4);
  const list = new Uint32Array(buffer, range.ptr, count);
  for (let i = 0; i < count; i++) {
    if (list[i]! < rows && (i === 0 || list[i]! > list[i - 1]!)) continue;
    throw new OptionError(
      `rows: got ${list[i]} at ${i}, expected ascending numbers below ${rows}, each once.`,
    );
  }
  return range;
}

/** Checks the counts of rows, and gives a view of them. */
function rowStepsAt(
  ptr: unknown,
  rows: number,
  planes: readonly Range[],
  { variant, weightDecay, decoupledDecay }: Scalars,
  { buffer }: WebAssembly.Memory,
): Uint32Array {
  if (variant & MOMENTUM || weightDecay > 0 || decoupledDecay > 0) {
    throw new OptionError(
      "rowSteps: momentum and weight decay move rows that have no gradient: leave out rowSteps, or take an optimizer's step({ rows }) and catchUp.",
    );
  }
  const range = rangeAt("rowSteps", ptr, rows * 4, buffer.byteLength, 4);
  refuseOverlap(range, planes);
  return new Uint32Array(buffer, range.ptr, rows);
}

/** Checks that planes are inside the memory, apart from each other, and gives their ranges. */
function checkPlanes(
  names: readonly string[],
  ptrs: readonly unknown[],
  count: number,
  memory: WebAssembly.Memory,
): Range[] {
  if (!Number.isInteger(count) || count < 0) {
    throw new MemoryError(`count: got ${show(count)}, expected a whole number of elements.`);
  }
  const memoryBytes = memory.buffer.byteLength;
  const byteLength = count * FLOAT32.bytes;
  const ranges: Range[] = [];
  for (let i = 0; i < ptrs.length; i++) {
    if (ptrs[i] === undefined) {
      throw new OptionError(`${names[i]}: got undefined; these hyperparameters need its byte offset.`);
    }
    const range = rangeAt(names[i]!, ptrs[i], byteLength, memoryBytes, FLOAT32.bytes);
    refuseOverlap(range, ranges);
    ranges.push(range);
  }
  return ranges;
}

function refuseOverlap(range: Range, others: readonly Range[]): void {
  const other = others.find((other) => !areApart(other, range));
  if (!other) return;
  throw new MemoryError(
    `${range.name} at byte ${range.ptr} overlaps ${other.name} at byte ${other.ptr}: they take ${range.end - range.ptr} and ${other.end - other.ptr} bytes.`,
  );
}
