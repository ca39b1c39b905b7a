/** Updates in place: the kernels run on the memory in which tf.js's wasm backend keeps its tensors. */
import { type DataId, type KernelBackend, type Tensor, tensor1d, type Variable } from "@tensorflow/tfjs-core";
import { DENSE_KERNELS } from "../kernel/module-dense.ts";
import { segmentAt } from "../kernel/segment.ts";
import { openDense } from "../kernel/wasm.ts";
import { assign, averageInDouble, type Updater } from "./updater.ts";

/** The internals of tf.js 4's wasm backend that this file uses. tf.js documents none of them. */
interface Internals {
  /** Emscripten's module. */
  readonly wasm: {
    /** The binary's exports, its memory among them. */
    readonly asm: { readonly memory?: WebAssembly.Memory };
    /** The shared memory of the threaded binary, which doesn't export it. */
    readonly wasmMemory?: WebAssembly.Memory;
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      /** Forgets a tensor with the packed copies that XNNPACK made of it. Its memory stays. */
      disposeData(id: number): void;
    };
  };
  readonly dataIdMap: { get(dataId: DataId): TensorData };
}

interface TensorData {
  /** The number by which the binary knows the tensor. */
  readonly id: number;
  /** Byte offset in the memory. It never changes, not even when the memory grows. */
  readonly memoryOffset: number;
  /** Count of the tensors and variables that share the data. */
  readonly refCount: number;
}

/** Opens the updater in place. Gives undefined for a backend that isn't built like tf.js's wasm backend. */
export function openInPlace(backend: KernelBackend): Updater | undefined {
  const { wasm, dataIdMap } = backend as Partial<Internals>;
  const memory = wasm?.asm?.memory ?? wasm?.wasmMemory;
  const registry = wasm?.tfjs;
  if (!memory || !registry?.registerTensor || !registry.disposeData || !dataIdMap) return undefined;
  if (!keepsTensorsIn(memory, dataIdMap)) return undefined;
  const kernel = openDense(memory, DENSE_KERNELS);

  const dataOf = (tensor: Tensor) => dataIdMap.get(tensor.dataId);
  /** Gives a variable data of its own first if it shares them: other tensors must not change with an update. */
  const ownDataOf = (variable: Variable) => {
    const data = dataOf(variable);
    if (data.refCount === 1) return data;
    assign(variable, variable.dataSync() as Float32Array);
    return dataOf(variable);
  };
  const ownAddressOf = (plane: Variable | undefined) => (plane ? ownDataOf(plane).memoryOffset : 0);
  return {
    sumOfSquares: (gradient) => kernel.sumOfSquares(dataOf(gradient).memoryOffset, gradient.size, 1),
    update({ variable, state }, gradient, scalars) {
      const { id, memoryOffset } = ownDataOf(variable);
      const { size } = variable;
      const places = {
        param: memoryOffset,
        // After `ownDataOf(variable)`, which may move the data: the gradient may be the variable itself.
        grad: dataOf(gradient).memoryOffset,
        squareAvg: ownAddressOf(state.squareAvg),
        momentumBuffer: ownAddressOf(state.momentumBuffer),
        gradAvg: ownAddressOf(state.gradAvg),
        z: ownAddressOf(state.z),
      };
      kernel.update(segmentAt(places, size), scalars);
      // tf.js assumes that tensors never change: XNNPACK keeps a packed copy of the weights of products and convolutions
      // until the tensor's id is disposed of. Without these two calls training would go on with the first weights.
      registry.disposeData(id);
      registry.registerTensor(id, size, memoryOffset);
    },
    average: averageInDouble,
  };
}

/** Tries whether a tensor's values are at the address that this file computes, and its sharers are counted. */
function keepsTensorsIn({ buffer }: WebAssembly.Memory, dataIdMap: Internals["dataIdMap"]): boolean {
  const values = [Math.PI, -Math.E, Math.LN2];
  const probe = tensor1d(values);
  const sharer = probe.variable(false);
  try {
    const { id, memoryOffset, refCount } = dataIdMap.get(probe.dataId);
    const found = new Float32Array(buffer, memoryOffset, values.length);
    return (
      typeof id === "number" && refCount === 2 && values.every((value, i) => found[i] === Math.fround(value))
    );
  } catch {
    return false;
  } finally {
    sharer.dispose();
    probe.dispose();
  }
}
