/**
 * Updates on tf.js's webgl backend: one program for each plane that changes, where tf.js's own operations take some
 * twenty-five for each variable. Outputs are new tensors, assigned to the variables: clones and pending reads of the old
 * values stay as they are.
 */
import {
  engine,
  env,
  getKernel,
  type KernelBackend,
  registerKernel,
  type Tensor,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { assignOutputs, type CardAttributes, computesRight, KERNEL, planesOf } from "./card.ts";
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
import { largestFinite, type Updater } from "./updater.ts";

/** The internals of tf.js 4's webgl backend that this file uses. tf.js documents none of them. */
interface Internals {
  runWebGLProgram(program: object, inputs: TensorInfo[], dtype: string, uniforms: number[][]): TensorInfo;
}

const VECTORS = ["xyzw", "xyzw", "xyzw"].flatMap((parts, i) =>
  [...parts].map((part) => `scalars${i}.${part}`),
);

/** Opens the updater. Gives undefined for a backend that isn't built like tf.js's webgl backend. */
export function openWebgl(backend: KernelBackend): Updater | undefined {
  if (typeof (backend as Partial<Internals>).runWebGLProgram !== "function") return undefined;
  if (!getKernel(KERNEL, "webgl")) {
    registerKernel({
      kernelName: KERNEL,
      backendName: "webgl",
      kernelFunc: ({ inputs, backend, attrs }) =>
        runUpdate(inputs as Planes, backend as Internals, attrs as unknown as CardAttributes),
    });
  }
  const updater: Updater = {
    ...operations,
    update(slot, gradient, scalars) {
      const attributes = {
        variant: scalars.variant,
        scalars: [0, 4, 8].map((start) =>
          SCALARS.slice(start, start + 4).map((name) => finite(scalars[name])),
        ),
      };
      const results = engine().runKernel(KERNEL, planesOf(slot, gradient), attributes) as Tensor[];
      assignOutputs(slot, scalars.variant, results);
    },
  };
  return computesRight(updater) ? updater : undefined;
}

type Planes = Record<Input, TensorInfo>;

/** Some cards take no infinite uniform, which `clipValue` is by default. */
const finite = (value: number) => Math.min(value, 3e38);

function runUpdate(planes: Planes, backend: Internals, { variant, scalars }: CardAttributes): TensorInfo[] {
  return outputsOf(variant).map((output) => {
    const inputs = inputsOf(variant, [output]);
    const program = programOf(variant, output, inputs, planes.param.shape);
    return backend.runWebGLProgram(
      program,
      inputs.map((input) => planes[input]),
      "float32",
      scalars as number[][],
    );
  });
}

/** Makes the program that computes one output. tf.js compiles it once for all variables of a rank. */
function programOf(variant: number, output: Output, inputs: readonly Input[], outputShape: number[]) {
  // Two by two elements to a texel, unless the page or the card has told tf.js not to.
  const isPacked = env().getBool("WEBGL_PACK");
  const largest = largestFinite();
  // Written once: for sixty variables the texts take as long as the calls to the card.
  const key = `${[variant, output, isPacked, largest]}`;
  const userCode = userCodes.get(key) ?? userCodeOf(variant, output, inputs, isPacked, largest);
  userCodes.set(key, userCode);
  return {
    variableNames: inputs.map(planeOf),
    outputShape,
    packedInputs: isPacked,
    packedOutput: isPacked,
    // tf.js can do without a program for each shape up to this rank.
    enableShapeUniforms: outputShape.length <= 4 && env().getBool("WEBGL_USE_SHAPES_UNIFORMS"),
    customUniforms: [0, 1, 2].map((i) => ({ name: `scalars${i}`, type: "vec4" })),
    userCode,
  };
}

const userCodes = new Map<string, string>();
const planeOf = (name: string) => `${name}Plane`;

function userCodeOf(
  variant: number,
  output: Output,
  inputs: readonly Input[],
  isPacked: boolean,
  largestFinite: number,
): string {
  const type = isPacked ? "vec4" : "float";
  const largest = largestFinite.toExponential();
  const getter = ([first, ...rest]: string) => `get${first!.toUpperCase()}${rest.join("")}AtOutCoords()`;
  const text = updateText(variant, [output], (name) => VECTORS[SCALARS.indexOf(name)]!, type);
  return `
    float flushed(float x) { return abs(x) < ${SMALLEST_NORMAL.toExponential()} ? 0. : x; }
    float capped(float x) { return x > ${largest} ? ${largest} : x; }
    float positive(float x) { return x < 0. ? 0. : x; }
    float clipped(float x, float limit) { return x < -limit ? -limit : x > limit ? limit : x; }
    ${["flushed", "capped", "positive"].map((name) => `vec4 ${name}(vec4 x) { return vec4(${each(name)}); }`).join("\n")}
    vec4 clipped(vec4 x, float limit) { return vec4(${each("clipped", ", limit")}); }
    void main() {
      ${inputs.map((input) => `${type} ${input} = ${getter(planeOf(input))};`).join("\n")}
      ${text}
      setOutput(${output});
    }`;
}

const each = (name: string, more = "") => [..."xyzw"].map((part) => `${name}(x.${part}${more})`).join(", ");
