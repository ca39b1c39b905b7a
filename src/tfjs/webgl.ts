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
  tensor1d,
  tidy,
  type Variable,
} from "@tensorflow/tfjs-core";
import { SMALLEST_NORMAL } from "../base/float32.ts";
import { BackendError } from "../errors.ts";
import type { Scalars } from "../kernel/contract.ts";
import { operations } from "./operations.ts";
import { type Input, inputsOf, type Output, outputsOf, SCALARS, updateText, variantOf } from "./shader.ts";
import { largestFinite, type Slot, type Updater } from "./updater.ts";

/** The internals of tf.js 4's webgl backend that this file uses. tf.js documents none of them. */
interface Internals {
  runWebGLProgram(program: object, inputs: TensorInfo[], dtype: string, uniforms: number[][]): TensorInfo;
  readonly gpgpu?: { readonly gl?: { isContextLost(): boolean } };
}

const KERNEL = "RmspropWasmUpdate";
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
        runUpdate(inputs as Planes, backend as Internals, attrs as unknown as Attributes),
    });
  }
  const { gpgpu } = backend as Partial<Internals>;
  const updater: Updater = {
    ...operations,
    update(slot, gradient, scalars) {
      if (gpgpu?.gl?.isContextLost()) {
        throw new BackendError(
          "The browser has taken the WebGL context away from tf.js, and with it all tensors on the graphics card: reload the page, and load the model that was saved last.",
        );
      }
      const variant = variantOf(scalars);
      const outputs = outputsOf(variant);
      const attributes = {
        variant,
        scalars: [0, 4, 8].map((start) =>
          SCALARS.slice(start, start + 4).map((name) => finite(scalars[name])),
        ),
      };
      const results = engine().runKernel(KERNEL, planesOf(slot, gradient), attributes) as Tensor[];
      outputs.forEach((output, i) => {
        variableOf(slot, output).assign(results[i]!);
        results[i]!.dispose();
      });
    },
  };
  return computesRight(updater) ? updater : undefined;
}

/**
 * Tries a small step, whose result is exact whatever the rounding: another version of tf.js, or a fault of a driver, may
 * give something else. It costs two programs, which plain steps of biases use as well.
 */
function computesRight(updater: Updater): boolean {
  const scalars: Scalars = {
    variant: 0,
    alpha: 0.5,
    oneMinusAlpha: 0.5,
    epsInside: 1,
    eps: 1,
    updateScale: 2,
    momentum: 0,
    bufferScale: 1,
    gradScale: 1,
    clipValue: Infinity,
    decoupledDecay: 0,
    weightDecay: 0,
    correction: 1,
    emaWeight: 0,
    zShare: 0,
    stepShare: 1,
    x0Share: 0,
  };
  return tidy(() => {
    const filled = (value: number) => tensor1d([value, value, value, value, value]);
    const param = tensor1d([10, 20, 30, 40, 50]).variable(false);
    const squareAvg = filled(12).variable(false);
    try {
      updater.update({ variable: param, state: { squareAvg }, steps: 0 }, filled(2), scalars);
      // 0.5 · 12 + 0.5 · 2² = 8, and 2 · 2 / (√(8 + 1) + 1) = 1.
      return `${[...param.dataSync(), ...squareAvg.dataSync()]}` === "9,19,29,39,49,8,8,8,8,8";
    } catch {
      return false;
    } finally {
      param.dispose();
      squareAvg.dispose();
    }
  });
}

type Planes = Record<Input, TensorInfo>;

interface Attributes {
  readonly variant: number;
  /** Three vectors of four, as `SCALARS` lists them. */
  readonly scalars: number[][];
}

/** Some cards take no infinite uniform, which `clipValue` is by default. */
const finite = (value: number) => Math.min(value, 3e38);

const variableOf = ({ variable, state }: Slot, output: Output): Variable =>
  output === "param" ? variable : state[output]!;

function planesOf({ variable, state }: Slot, grad: Tensor) {
  const planes = { param: variable, grad, ...state };
  return planes as unknown as Record<string, Tensor>;
}

function runUpdate(planes: Planes, backend: Internals, { variant, scalars }: Attributes): TensorInfo[] {
  return outputsOf(variant).map((output) => {
    const inputs = inputsOf(variant, [output]);
    const program = programOf(variant, output, inputs, planes.param.shape);
    return backend.runWebGLProgram(
      program,
      inputs.map((input) => planes[input]),
      "float32",
      scalars,
    );
  });
}

/** Makes the program that computes one output. tf.js compiles it once for all variables of a rank. */
function programOf(variant: number, output: Output, inputs: readonly Input[], outputShape: number[]) {
  // Two by two elements to a texel, unless the program or the card has tf.js leave that.
  const isPacked = env().getBool("WEBGL_PACK");
  const type = isPacked ? "vec4" : "float";
  const largest = largestFinite().toExponential();
  const upper = (name: string) => name[0]!.toUpperCase() + name.slice(1);
  const names = inputs.map((input) => `${input}Plane`);
  const text = updateText(variant, [output], (name) => VECTORS[SCALARS.indexOf(name)]!, type);
  return {
    variableNames: names,
    outputShape,
    packedInputs: isPacked,
    packedOutput: isPacked,
    // tf.js can do without a program for each shape up to this rank.
    enableShapeUniforms: outputShape.length <= 4 && env().getBool("WEBGL_USE_SHAPES_UNIFORMS"),
    customUniforms: [0, 1, 2].map((i) => ({ name: `scalars${i}`, type: "vec4" })),
    userCode: `
      float flushed(float x) { return abs(x) < ${SMALLEST_NORMAL.toExponential()} ? 0. : x; }
      float capped(float x) { return x > ${largest} ? ${largest} : x; }
      float positive(float x) { return x < 0. ? 0. : x; }
      float clipped(float x, float limit) { return x < -limit ? -limit : x > limit ? limit : x; }
      ${["flushed", "capped", "positive"].map((name) => `vec4 ${name}(vec4 x) { return vec4(${each(name)}); }`).join("\n")}
      vec4 clipped(vec4 x, float limit) { return vec4(${each("clipped", ", limit")}); }
      void main() {
        ${inputs.map((input, i) => `${type} ${input} = get${upper(names[i]!)}AtOutCoords();`).join("\n")}
        ${text}
        setOutput(${output});
      }`,
  };
}

const each = (name: string, more = "") => [..."xyzw"].map((part) => `${name}(x.${part}${more})`).join(", ");
