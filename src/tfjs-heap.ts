/** In place: the kernels run on the memory of tf.js's wasm backend, where its tensors lie. */
import { type DataId, type KernelBackend, type Tensor, tensor1d, type Variable } from "@tensorflow/tfjs-core";
import { openWasm } from "./core.ts";
import { assign, type Way } from "./tfjs-way.ts";

/** What is used of tf.js 4's wasm backend, none of it promised by tf.js. */
interface Internals {
  /** Emscripten's module, with the exports of the binary. */
  readonly wasm?: { readonly asm?: { readonly memory?: unknown } };
  readonly dataIdMap?: { get(dataId: DataId): TensorData };
}

interface TensorData {
  /** Stays as long as the data does, however the memory grows. */
  readonly memoryOffset: number;
  /** Tensors and variables that share the data. */
  readonly refCount: number;
}

/** The way in place, or undefined for a backend that isn't built as tf.js's wasm backend is. */
export function openHeap(backend: KernelBackend): Way | undefined {
  const { wasm, dataIdMap } = backend as Internals;
  const memory = wasm?.asm?.memory;
  if (!isMemory(memory) || !dataIdMap || !keepsTensorsIn(memory, dataIdMap)) return undefined;
  const kernel = openWasm(memory);

  const addressOf = (tensor: Tensor) => dataIdMap.get(tensor.dataId).memoryOffset;
  /** The address of a variable that nobody shares: whoever else holds the data keeps it as it is. */
  const ownAddressOf = (variable: Variable) => {
    const { memoryOffset, refCount } = dataIdMap.get(variable.dataId);
    if (refCount === 1) return memoryOffset;
    assign(variable, variable.dataSync() as Float32Array);
    return addressOf(variable);
  };
  return {
    sumOfSquares: (gradient) => kernel.sumOfSquares(addressOf(gradient), gradient.size),
    update({ variable, state }, gradient, scalars) {
      const { squareAvg, momentumBuffer, gradAvg } = state;
      const segment = {
        param: ownAddressOf(variable),
        grad: 0,
        squareAvg: ownAddressOf(squareAvg),
        momentumBuffer: momentumBuffer ? ownAddressOf(momentumBuffer) : 0,
        gradAvg: gradAvg ? ownAddressOf(gradAvg) : 0,
        ema: 0,
        count: variable.size,
      };
      // Last: the gradient may be the variable itself, which has just moved.
      segment.grad = addressOf(gradient);
      kernel.update(segment, scalars);
    },
  };
}

/** By its tag, since another realm may have made it. */
function isMemory(value: unknown): value is WebAssembly.Memory {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Memory]";
}

/** Whether a tensor is found where this file looks for it, and its sharers are counted. */
function keepsTensorsIn(memory: WebAssembly.Memory, dataIdMap: NonNullable<Internals["dataIdMap"]>): boolean {
  const values = [Math.PI, -Math.E, Math.LN2];
  const probe = tensor1d(values);
  const sharer = probe.variable(false);
  try {
    const { memoryOffset, refCount } = dataIdMap.get(probe.dataId);
    const found = new Float32Array(memory.buffer, memoryOffset, values.length);
    return refCount === 2 && values.every((value, i) => found[i] === Math.fround(value));
  } catch {
    return false;
  } finally {
    sharer.dispose();
    probe.dispose();
  }
}
