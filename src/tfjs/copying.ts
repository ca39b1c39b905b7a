/**
 * Updates by copies through a small WebAssembly memory, for tf.js's cpu backend, which keeps its values in JavaScript
 * arrays. Moving those arrays into the memory permanently was rejected: tf.js hands out the arrays themselves (`dataSync`)
 * and never writes into one again, so that each update has to make new ones. With the copies an update takes some three
 * times as long as the kernel alone, and a hundredth of what tf.js takes.
 */
import type { Tensor, Variable } from "@tensorflow/tfjs-core";
import { BLOCK, CENTERED, MOMENTUM, SCHEDULE_FREE, type Scalars } from "../kernel/contract.ts";
import { DENSE_KERNELS } from "../kernel/module-dense.ts";
import { segmentAt } from "../kernel/segment.ts";
import { openDense } from "../kernel/wasm.ts";
import { FIRST_BYTE, layOut, PAGE_BYTES } from "../memory/layout.ts";
import { assign, averageInDouble, type Slot, type Updater } from "./updater.ts";
import type { KeptPlane } from "./weights.ts";

/** Elements copied at a time. The memory stays small and never grows: a growth slows all of tf.js's loops by a fifth. */
const CHUNK = 16_384;
const PLANE_NAMES = ["param", "grad", "squareAvg", "momentumBuffer", "gradAvg", "z"] as const;

/** Makes the memory and binds the kernels to it. Throws if WebAssembly is forbidden. */
export function openCopying(): Updater {
  const { ptrs, end } = layOut(
    FIRST_BYTE,
    PLANE_NAMES.map(() => CHUNK * 4),
  );
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE_BYTES) });
  const kernel = openDense(memory, DENSE_KERNELS);
  const segment = segmentAt(
    record(PLANE_NAMES, (_, i) => ptrs[i]!),
    0,
  );
  const windows = record(PLANE_NAMES, (plane) => new Float32Array(memory.buffer, segment[plane], CHUNK));
  const { grad } = windows;
  return {
    sumOfSquares(gradient) {
      let sum = 0;
      // The sums of blocks, added up, are the sum of the whole to the bit.
      forEachPart(gradient.size, BLOCK, (start, end) => {
        grad.set(valuesOf(gradient).subarray(start, end));
        sum += kernel.sumOfSquares(segment.grad, end - start, 1);
      });
      return sum;
    },
    update(slot, gradient, scalars) {
      const gradients = valuesOf(gradient);
      const planes = writtenPlanes(slot, scalars).map(([plane, variable]) => ({
        variable,
        window: windows[plane],
        values: valuesOf(variable),
        results: new Float32Array(variable.size),
      }));
      forEachPart(gradient.size, CHUNK, (start, end) => {
        grad.set(gradients.subarray(start, end));
        for (const { window, values } of planes) window.set(values.subarray(start, end));
        segment.count = end - start;
        kernel.update(segment, scalars);
        for (const { window, results } of planes) results.set(window.subarray(0, end - start), start);
      });
      for (const { variable, results } of planes) assign(variable, results);
    },
    average: averageInDouble,
  };
}

/** Names the planes that an update writes, each with the variable that holds it. */
function writtenPlanes({ variable, state }: Slot, { variant }: Scalars) {
  const planes: ["param" | KeptPlane, Variable][] = [
    ["param", variable],
    ["squareAvg", state.squareAvg],
  ];
  if (variant & MOMENTUM) planes.push(["momentumBuffer", state.momentumBuffer!]);
  if (variant & CENTERED) planes.push(["gradAvg", state.gradAvg!]);
  if (variant & SCHEDULE_FREE) planes.push(["z", state.z!]);
  return planes;
}

function forEachPart(count: number, size: number, visit: (start: number, end: number) => void): void {
  for (let start = 0; start < count; start += size) visit(start, Math.min(start + size, count));
}

function valuesOf(tensor: Tensor): Float32Array {
  return tensor.dataSync() as Float32Array;
}

function record<Name extends string, Value>(
  names: readonly Name[],
  make: (name: Name, index: number) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name, i) => [name, make(name, i)])) as Record<Name, Value>;
}
