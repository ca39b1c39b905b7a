/** In place: the kernels run on the memory of tf.js's wasm backend, where its tensors lie. */
import { type DataId, type KernelBackend, type Tensor, tensor1d, type Variable } from "@tensorflow/tfjs-core";
import { openWasm } from "../kernel/wasm.ts";
import { assign, type Updater } from "./updater.ts";

/** What is used of tf.js 4's wasm backend, none of it promised by tf.js. */
interface Internals {
  /** Emscripten's module. */
  readonly wasm: {
    /** The binary's exports, its memory among them. */
    readonly asm: { readonly memory?: WebAssembly.Memory };
    /** Where the threaded binary has its memory, which is shared. */
    readonly wasmMemory?: WebAssembly.Memory;
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      /** Forgets a tensor, and what was made of it to compute faster. Its memory stays. */
      disposeData(id: number): void;
    };
  };
  readonly dataIdMap: { get(dataId: DataId): TensorData };
}

interface TensorData {
  /** By which the binary knows it. */
  readonly id: number;
  /** Stays as long as the data does, however the memory grows. */
  readonly memoryOffset: number;
  /** Tensors and variables that share the data. */
  readonly refCount: number;
}

/** The updater in place, or undefined for a backend that isn't built as tf.js's wasm backend is. */
export function openInPlace(backend: KernelBackend): Updater | undefined {
  const { wasm, dataIdMap } = backend as Partial<Internals>;
  const memory = wasm?.asm?.memory ?? wasm?.wasmMemory;
  const registry = wasm?.tfjs;
  if (!memory || !registry?.registerTensor || !registry.disposeData || !dataIdMap) return undefined;
  if (!keepsTensorsIn(memory, dataIdMap)) return undefined;
  const kernel = openWasm(memory);

  const dataOf = (tensor: Tensor) => dataIdMap.get(tensor.dataId);
  /** The data of a variable that nobody shares: whoever else has it keeps it as it is. */
  const ownDataOf = (variable: Variable) => {
    const data = dataOf(variable);
    if (data.refCount === 1) return data;
    assign(variable, variable.dataSync() as Float32Array);
    return dataOf(variable);
  };
  const ownAddressOf = (plane: Variable | undefined) => (plane ? ownDataOf(plane).memoryOffset : 0);
  return {
    sumOfSquares: (gradient) => kernel.sumOfSquares(dataOf(gradient).memoryOffset, gradient.size),
    update({ variable, state }, gradient, scalars) {
      const { id, memoryOffset } = ownDataOf(variable);
      const { size } = variable;
      const segment = {
        param: memoryOffset,
        // Looked up after the parameter's place: it may be the variable itself.
        grad: dataOf(gradient).memoryOffset,
        squareAvg: ownAddressOf(state.squareAvg),
        momentumBuffer: ownAddressOf(state.momentumBuffer),
        gradAvg: ownAddressOf(state.gradAvg),
        ema: 0,
        count: size,
      };
      kernel.update(segment, scalars);
      // tf.js takes tensors for constant. For products and convolutions XNNPACK keeps the weights packed, by the
      // tensor's id until that is disposed of: without this, training would go on with the first weights.
      registry.disposeData(id);
      registry.registerTensor(id, size, memoryOffset);
    },
  };
}

/** Whether a tensor is found where this file looks for it, and its sharers are counted. */
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
