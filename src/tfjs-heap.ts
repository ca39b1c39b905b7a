/** In place: the kernels run on the memory of tf.js's wasm backend, where its tensors lie. */
import { type DataId, type KernelBackend, type Tensor, tensor1d, type Variable } from "@tensorflow/tfjs-core";
import { openWasm } from "./core.ts";
import { assign, type Way } from "./tfjs-way.ts";

/** What is used of tf.js 4's wasm backend, none of it promised by tf.js. */
interface Internals {
  readonly wasm: {
    /** The exports of the binary. */
    readonly asm: { readonly memory: WebAssembly.Memory };
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      /** Forgets a tensor and what was derived of it; its memory stays. */
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

/** The way in place, or undefined for a backend that isn't built as tf.js's wasm backend is. */
export function openHeap(backend: KernelBackend): Way | undefined {
  if (!isBuiltAsExpected(backend)) return undefined;
  const { wasm, dataIdMap } = backend;
  const kernel = openWasm(wasm.asm.memory);

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
      // tf.js takes tensors for constant. For its matrix products and convolutions, XNNPACK keeps the weights packed,
      // by the tensor's id and until that is disposed of: training would go on with the first weights.
      wasm.tfjs.disposeData(id);
      wasm.tfjs.registerTensor(id, size, memoryOffset);
    },
  };
}

function isBuiltAsExpected(backend: object): backend is Internals {
  const { wasm, dataIdMap } = backend as { [Name in keyof Internals]?: Partial<Internals[Name]> };
  return (
    isMemory(wasm?.asm?.memory) &&
    typeof wasm.tfjs?.registerTensor === "function" &&
    typeof wasm.tfjs.disposeData === "function" &&
    typeof dataIdMap?.get === "function" &&
    keepsTensorsIn(wasm.asm.memory, dataIdMap as Internals["dataIdMap"])
  );
}

/** By its tag, since another realm may have made it. */
function isMemory(value: unknown): value is WebAssembly.Memory {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Memory]";
}

/** Whether a tensor is found where this file looks for it, and its sharers are counted. */
function keepsTensorsIn(memory: WebAssembly.Memory, dataIdMap: Internals["dataIdMap"]): boolean {
  const values = [Math.PI, -Math.E, Math.LN2];
  const probe = tensor1d(values);
  const sharer = probe.variable(false);
  try {
    const { id, memoryOffset, refCount } = dataIdMap.get(probe.dataId);
    const found = new Float32Array(memory.buffer, memoryOffset, values.length);
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
