/**
 * Updates on tf.js's webgl backend: one program for each variable, or for each plane on cards that draw into one texture
 * at a time. tf.js's own operations take some twenty-five for each variable.
 */
import { env, type KernelBackend, type TensorInfo } from "@tensorflow/tfjs-core";
import { FLOAT32 } from "../base/real.ts";
import { computesRight, type Job, updaterOnCard } from "./card.ts";
import { SCALARS, type ScalarName, updateText } from "./shader.ts";
import { declareTarget, openTargets, type TargetBackend } from "./targets.ts";
import { largestFinite, type Updater } from "./updater.ts";

/** The internals of tf.js 4's webgl backend that this file uses. tf.js documents none of them. */
interface Internals extends TargetBackend {
  runWebGLProgram(program: object, inputs: TensorInfo[], dtype: string, uniforms: number[][]): TensorInfo;
}

/** Opens the updater. Gives undefined for a backend that isn't built like tf.js's webgl backend. */
export function openWebgl(backend: KernelBackend, operations: Updater): Updater | undefined {
  const card = backend as unknown as Internals;
  if (typeof card.runWebGLProgram !== "function") return undefined;
  const targets = openTargets(card);
  const run = (job: Job) => {
    const { shape, outputs, tensors, scalars } = job;
    const program = programOf(job);
    const draw = () => card.runWebGLProgram(program, tensors, "float32", vectorsOf(scalars));
    if (outputs.length === 1) return [draw()];
    return targets.drawInto(outputs.length, shape, program.packedOutput, draw);
  };
  const most = new Set([targets.most, 1]);
  return [...most]
    .map((count) => updaterOnCard("webgl", operations, () => count, run))
    .find((updater) => computesRight(updater));
}

/** Gives the numbers of a step as vectors of four. Some cards take no infinite one, which `clipValue` is by default. */
function vectorsOf(scalars: readonly number[]): number[][] {
  const padded = [...scalars, 0, 0, 0].map((value) => Math.min(value, 3e38));
  return Array.from({ length: VECTORS }, (_, i) => padded.slice(4 * i, 4 * i + 4));
}

const VECTORS = /* @__PURE__ */ Math.ceil(SCALARS.length / 4);

function refer(name: ScalarName): string {
  const at = SCALARS.indexOf(name);
  return `scalars${at >> 2}.${"xyzw"[at % 4]}`;
}

/** Makes a program. tf.js compiles it once for all variables of a rank. */
function programOf({ variant, inputs, outputs, shape }: Job) {
  // Two by two elements to a texel, unless the page or the card has told tf.js not to.
  const isPacked = env().getBool("WEBGL_PACK");
  const largest = largestFinite();
  // Written once: for sixty variables the texts take as long as the calls to the card.
  const key = `${[variant, outputs, isPacked, largest]}`;
  const userCode = userCodes.get(key) ?? userCodeOf({ variant, inputs, outputs }, isPacked, largest);
  userCodes.set(key, userCode);
  return {
    variableNames: inputs.map(nameOf),
    outputShape: shape,
    packedInputs: isPacked,
    packedOutput: isPacked,
    // One program for all shapes of a rank. tf.js has no such programs beyond four dimensions, and makes none by itself, since its
    // own flag for it is off: with a program for each shape, the first step took a third longer.
    enableShapeUniforms: shape.length <= 4,
    customUniforms: Array.from({ length: VECTORS }, (_, i) => ({ name: `scalars${i}`, type: "vec4" })),
    userCode,
  };
}

const userCodes = new Map<string, string>();
const nameOf = (input: string) => `${input}Plane`;

function userCodeOf(
  { variant, inputs, outputs }: Pick<Job, "variant" | "inputs" | "outputs">,
  isPacked: boolean,
  largestFinite: number,
): string {
  const type = isPacked ? "vec4" : "float";
  const largest = largestFinite.toExponential();
  const getter = ([first, ...rest]: string) => `get${first!.toUpperCase()}${rest.join("")}AtOutCoords()`;
  const [first, ...others] = outputs;
  const planes = inputs.filter((input) => input !== "fine");
  const isGuarded = planes.length < inputs.length;
  return `
    ${others.map((_, i) => declareTarget(i + 1)).join("\n")}
    float flushed(float x) { return abs(x) < ${FLOAT32.smallestNormal.toExponential()} ? 0. : x; }
    float capped(float x) { return x > ${largest} ? ${largest} : x; }
    float positive(float x) { return x < 0. ? 0. : x; }
    float clipped(float x, float limit) { return x < -limit ? -limit : x > limit ? limit : x; }
    ${["flushed", "capped", "positive"].map((name) => `vec4 ${name}(vec4 x) { return vec4(${each(name)}); }`).join("\n")}
    vec4 clipped(vec4 x, float limit) { return vec4(${each("clipped", ", limit")}); }
    void main() {
      ${planes.map((input) => `${type} ${input} = ${getter(nameOf(input))};`).join("\n")}
      ${isGuarded ? `bool fine = ${getter(nameOf("fine"))}${isPacked ? ".x" : ""} > 0.5;` : ""}
      ${updateText(variant, outputs, refer, type, (value, other) => `fine ? ${value} : ${other}`)}
      setOutput(${first});
      ${others.map((output, i) => `target${i + 1} = ${isPacked ? output : `vec4(${output}, 0, 0, 0)`};`).join("\n")}
    }`;
}

const each = (name: string, more = "") => [..."xyzw"].map((part) => `${name}(x.${part}${more})`).join(", ");
