/**
 * Updates on tf.js's webgpu backend: one dispatch for each variable, where tf.js's own operations take some fifteen, and
 * two or three where it has more planes than a dispatch can have buffers.
 */
import { type KernelBackend, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { FLOAT32 } from "../base/real.ts";
import { type Job, KERNEL, updaterOnCard, willComputeRight } from "./card.ts";
import { SCALARS, updateText } from "./shader.ts";
import type { Updater } from "./updater.ts";

/** The internals of tf.js 4's webgpu backend that this file uses. tf.js documents none of them. */
interface Internals {
  makeTensorInfo(shape: number[], dtype: string): TensorInfo;
  runWebGPUProgram(program: object, inputs: TensorInfo[], dtype: string, uniforms: object[]): TensorInfo;
}

/** The storage buffers that every device lets one dispatch have. */
const MOST_BUFFERS = 8;
const WORKGROUP = 64;

/** Opens the updater. Gives undefined for a backend that isn't built like tf.js's webgpu backend. */
export async function openWebgpu(backend: KernelBackend, operations: Updater): Promise<Updater | undefined> {
  const card = backend as unknown as Internals;
  if (![card.runWebGPUProgram, card.makeTensorInfo].every(util.isFunction)) return undefined;
  const most = (inputs: number) => MOST_BUFFERS - inputs;
  const updater = updaterOnCard("webgpu", operations, most, (job) => dispatch(card, job));
  return (await willComputeRight(updater)) ? updater : undefined;
}

function dispatch(card: Internals, job: Job): TensorInfo[] {
  const others = job.outputs.slice(1).map(() => card.makeTensorInfo(job.shape, "float32"));
  const uniforms = job.scalars.map((value) => ({ type: "float32", data: [value] }));
  const first = card.runWebGPUProgram(programOf(job), [...job.tensors, ...others], "float32", uniforms);
  return [first, ...others];
}

/** Makes a program. A new object each time: tf.js would compile one that is kept again at each run. */
function programOf({ variant, inputs, outputs, shape }: Job) {
  const [first, ...others] = outputs;
  const plane = (name: string) => `${name}Plane`;
  const largest = FLOAT32.largestFinite.toExponential();
  return {
    variableNames: [...inputs.map(plane), ...others.map((output) => `${output}Spare`)],
    outputShape: shape,
    size: true,
    uniforms: SCALARS.map((name) => `${name} : f32,`).join(" "),
    workgroupSize: [WORKGROUP, 1, 1],
    dispatchLayout: { x: shape.map((_, i) => i) },
    dispatch: [Math.ceil(util.sizeFromShape(shape) / WORKGROUP), 1, 1],
    shaderKey: `${KERNEL}_${variant}_${outputs}`,
    // tf.js declares what it takes for inputs as read-only. The outputs among them are declared a second time, to be
    // written, and only those declarations are used.
    getUserCode: () => `
      ${others.map((output, i) => `@group(0) @binding(${1 + inputs.length + i}) var<storage, read_write> ${output}Out : array<f32>;`).join("\n")}
      fn flushed(x : f32) -> f32 { return select(x, 0.0, abs(x) < ${FLOAT32.smallestNormal.toExponential()}); }
      fn capped(x : f32) -> f32 { return select(x, ${largest}, x > ${largest}); }
      fn positive(x : f32) -> f32 { return select(x, 0.0, x < 0.0); }
      fn clipped(x : f32, limit : f32) -> f32 { return select(select(x, limit, x > limit), -limit, x < -limit); }
      fn main(index : i32) {
        if (index < uniforms.size) {
          ${inputs.map((input) => (input === "fine" ? "let fine = finePlane[0] > 0.5;" : `var ${input} = ${plane(input)}[index];`)).join("\n")}
          ${updateText(
            variant,
            outputs,
            (name) => `uniforms.${name}`,
            "var",
            (value, other) => `select(${other}, ${value}, fine)`,
          )}
          result[index] = ${first};
          ${others.map((output) => `${output}Out[index] = ${output};`).join("\n")}
        }
      }`,
  };
}
