/**
 * Updates on tf.js's webgpu backend: one dispatch for each variable, where tf.js's own operations take some fifteen. All
 * outputs are new tensors, assigned to the variables.
 */
import {
  engine,
  getKernel,
  type KernelBackend,
  registerKernel,
  type Tensor,
  type TensorInfo,
  util,
} from "@tensorflow/tfjs-core";
import { assignOutputs, type CardAttributes, KERNEL, planesOf, willComputeRight } from "./card.ts";
import { operations } from "./operations.ts";
import {
  type Input,
  inputsOf,
  type Output,
  outputsOf,
  SCALARS,
  SMALLEST_NORMAL,
  updateText,
} from "./shader.ts";
import { LARGEST_FLOAT32, type Updater } from "./updater.ts";

/** The internals of tf.js 4's webgpu backend that this file uses. tf.js documents none of them. */
interface Internals {
  makeTensorInfo(shape: number[], dtype: string): TensorInfo;
  runWebGPUProgram(program: object, inputs: TensorInfo[], dtype: string, uniforms: object[]): TensorInfo;
}

/** The storage buffers that every device lets one dispatch have. */
const MOST_BUFFERS = 8;
const WORKGROUP = 64;

/** Opens the updater. Gives undefined for a backend that isn't built like tf.js's webgpu backend. */
export function openWebgpu(backend: KernelBackend, warn: () => void): Updater | undefined {
  const { runWebGPUProgram, makeTensorInfo } = backend as Partial<Internals>;
  if (!runWebGPUProgram || !makeTensorInfo) return undefined;
  if (!getKernel(KERNEL, "webgpu")) {
    registerKernel({
      kernelName: KERNEL,
      backendName: "webgpu",
      kernelFunc: ({ inputs, backend, attrs }) =>
        runUpdate(
          inputs as Record<Input, TensorInfo>,
          backend as Internals,
          attrs as unknown as CardAttributes,
        ),
    });
  }
  let isWrong = false;
  const updater: Updater = {
    ...operations,
    update(slot, gradient, scalars) {
      if (isWrong) return operations.update(slot, gradient, scalars);
      const attributes = { variant: scalars.variant, scalars: SCALARS.map((name) => scalars[name]) };
      const results = engine().runKernel(KERNEL, planesOf(slot, gradient), attributes as never);
      assignOutputs(slot, scalars.variant, results as Tensor[]);
    },
  };
  // The result comes later: a card whose driver is at fault takes a few steps before this is known.
  willComputeRight(updater).then((isRight) => {
    if (isRight) return;
    isWrong = true;
    warn();
  });
  return updater;
}

/** Runs one dispatch, or two where the device has too few buffers: centered with momentum. */
function runUpdate(
  planes: Record<Input, TensorInfo>,
  backend: Internals,
  { variant, scalars }: CardAttributes,
): TensorInfo[] {
  const all = outputsOf(variant);
  const fits = inputsOf(variant, all).length + all.length <= MOST_BUFFERS;
  const parts = fits ? [all] : [all.slice(0, -1), all.slice(-1)];
  return parts.flatMap((outputs) => {
    const inputs = inputsOf(variant, outputs);
    const { shape } = planes.param;
    const others = outputs.slice(1).map(() => backend.makeTensorInfo(shape, "float32"));
    const first = backend.runWebGPUProgram(
      programOf(variant, outputs, inputs, shape),
      [...inputs.map((input) => planes[input]), ...others],
      "float32",
      (scalars as number[]).map((value) => ({ type: "float32", data: [value] })),
    );
    return [first, ...others];
  });
}

/** Makes a program. A new object each time: tf.js would compile one that is kept again at each run. */
function programOf(
  variant: number,
  outputs: readonly Output[],
  inputs: readonly Input[],
  outputShape: number[],
) {
  const [first, ...others] = outputs;
  const plane = (name: string) => `${name}Plane`;
  return {
    variableNames: [...inputs.map(plane), ...others.map((output) => `${output}Spare`)],
    outputShape,
    size: true,
    uniforms: SCALARS.map((name) => `${name} : f32,`).join(" "),
    workgroupSize: [WORKGROUP, 1, 1],
    dispatchLayout: { x: outputShape.map((_, i) => i) },
    dispatch: [Math.ceil(util.sizeFromShape(outputShape) / WORKGROUP), 1, 1],
    shaderKey: `${KERNEL}_${variant}_${outputs}`,
    // tf.js declares what it takes for inputs as read-only. The outputs among them are declared a second time, to be
    // written, and only those declarations are used.
    getUserCode: () => `
      ${others.map((output, i) => `@group(0) @binding(${1 + inputs.length + i}) var<storage, read_write> ${output}Out : array<f32>;`).join("\n")}
      fn flushed(x : f32) -> f32 { return select(x, 0.0, abs(x) < ${SMALLEST_NORMAL.toExponential()}); }
      fn capped(x : f32) -> f32 { return select(x, ${LARGEST_FLOAT32.toExponential()}, x > ${LARGEST_FLOAT32.toExponential()}); }
      fn positive(x : f32) -> f32 { return select(x, 0.0, x < 0.0); }
      fn clipped(x : f32, limit : f32) -> f32 { return select(select(x, limit, x > limit), -limit, x < -limit); }
      fn main(index : i32) {
        if (index < uniforms.size) {
          ${inputs.map((input) => `var ${input} = ${plane(input)}[index];`).join("\n")}
          ${updateText(variant, outputs, (name) => `uniforms.${name}`, "var")}
          result[index] = ${first};
          ${others.map((output) => `${output}Out[index] = ${output};`).join("\n")}
        }
      }`,
  };
}
