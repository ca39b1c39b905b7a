/** In a browser: updates on the graphics card, compared with the JavaScript backend, counted and reported. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgpu";
import { dialects, RMSprop } from "rmsprop-wasm/js";
import { type RMSPropOptions, rmsprop } from "rmsprop-wasm/tfjs";

/** One set of options on one shape. */
export interface Outcome {
  options: RMSPropOptions;
  shape: number[];
  /** The largest distance of a parameter from that of the JavaScript backend, after three steps. */
  distance: number;
  isFinite: boolean;
  /** Programs that the third step ran. */
  programs: number;
}

export interface Report {
  error?: string;
  warnings: string[];
  version: string;
  epsilon: number;
  outcomes: Outcome[];
  /** Tensors and bytes that 500 further steps, after the first ones, have left. */
  left: { tensors: number; bytes: number };
  /** Values of a clone, and of a read that was pending during a step: both those before the step. */
  kept: { clone: number[]; pending: number[]; after: number[] };
  clipped: Outcome[];
}

/** The values that training ends with, and the error of the last. */
export interface Incidents {
  error?: string;
  undisturbed: number[];
  moved: number[];
  broken: number[];
  lost: string;
  warnings: string[];
}

const parameters = new URLSearchParams(location.search);
const warnings: string[] = [];
console.warn = (...parts) => {
  warnings.push(parts.join(" "));
};

const OPTIONS: RMSPropOptions[] = [
  {},
  { momentum: 0.9 },
  { centered: true },
  { centered: true, momentum: 0.9, nesterov: true, biasCorrection: true },
  { weightDecay: 0.1 },
  { weightDecay: 0.1, decoupledWeightDecay: true, momentum: 0.5, lrInMomentum: false },
  { clipValue: 0.25, maximize: true },
  { epsInsideSqrt: false, initialSquareAvg: 1 },
];
const CLIPPED: RMSPropOptions[] = [{ clipNorm: 0.5 }, { globalClipNorm: 0.5 }];
const SHAPES = [[], [1], [7], [5, 3], [2, 3, 4], [2, 1, 3, 2], [1, 2, 2, 3, 2]];

let programs = 0;

function countPrograms(): void {
  const backend = tf.backend() as unknown as Record<string, (...parts: unknown[]) => unknown>;
  const name = tf.getBackend() === "webgpu" ? "runWebGPUProgram" : "runWebGLProgram";
  const run = backend[name]!;
  backend[name] = (...parts) => {
    programs++;
    return run.apply(backend, parts);
  };
}

const wave = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(1 + i * 7 + seed * 3));

async function compare(options: RMSPropOptions, shape: number[]): Promise<Outcome> {
  const count = shape.reduce((product, size) => product * size, 1);
  // Where float16 is all that there is, roundings are in proportion.
  const settings = { lr: 0.01, eps: 1e-3, ...options };
  const reference = new RMSprop({ w: wave(count, 0) }, { ...dialects.tfjs, ...settings });
  const optimizer = rmsprop(settings);
  const variable = tf.tidy(() => tf.variable(tf.tensor(wave(count, 0), shape)));
  for (let step = 1; step <= 3; step++) {
    reference.grads.w.set(wave(count, step));
    reference.step();
    const gradient = tf.tensor(wave(count, step), shape);
    // On the card, as gradients are.
    const onCard = tf.mul(gradient, 1);
    programs = 0;
    optimizer.applyGradients({ [variable.name]: onCard });
    tf.dispose([gradient, onCard]);
  }
  const counted = programs;
  const values = await variable.data();
  const distances = [...values].map((value, i) => Math.abs(value - reference.params.w[i]!));
  for (const used of [variable, optimizer]) used.dispose();
  return {
    options,
    shape,
    distance: Math.max(...distances),
    isFinite: [...values].every(Number.isFinite),
    programs: counted,
  };
}

async function leftBySteps(): Promise<Report["left"]> {
  const shapes = [[8, 4], [4], []];
  const variables = shapes.map((shape) => tf.variable(tf.ones(shape)));
  const optimizer = rmsprop({ momentum: 0.9, centered: true });
  const step = () =>
    tf.tidy(() => {
      optimizer.applyGradients(
        variables.map(({ name, shape }) => ({ name, tensor: tf.mul(tf.ones(shape), 2) })),
      );
    });
  const held = () => ({
    tensors: tf.memory().numTensors,
    bytes: (tf.memory() as unknown as { numBytesInGPU: number }).numBytesInGPU,
  });
  for (let n = 0; n < 3; n++) step();
  const before = held();
  for (let n = 0; n < 500; n++) step();
  const after = held();
  for (const used of [...variables, optimizer]) used.dispose();
  return { tensors: after.tensors - before.tensors, bytes: after.bytes - before.bytes };
}

async function keptByOthers(): Promise<Report["kept"]> {
  const variable = tf.tidy(() => tf.variable(tf.mul(tf.tensor1d([1, 2]), 1)));
  const clone = tf.clone(variable);
  const optimizer = rmsprop({ lr: 0.5 });
  const gradient = tf.ones([2]);
  const pending = variable.data();
  optimizer.applyGradients({ [variable.name]: gradient });
  const kept = {
    pending: [...(await pending)],
    clone: [...(await clone.data())],
    after: [...(await variable.data())],
  };
  for (const used of [variable, clone, optimizer, gradient]) used.dispose();
  return kept;
}

/** Values after three steps, the first on webgl; `between` is called before each further one. */
async function interrupted(between: (step: number) => unknown): Promise<number[]> {
  await tf.setBackend("webgl");
  const variable = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
  const optimizer = rmsprop({ lr: 0.1, momentum: 0.9, eps: 1e-3 });
  for (let step = 0; step < 3; step++) {
    if (step > 0) await between(step);
    tf.tidy(() => optimizer.applyGradients({ [variable.name]: tf.tensor1d([0.5, -1]) }));
  }
  const values = [...(await variable.data())];
  for (const used of [variable, optimizer]) used.dispose();
  return values;
}

/** What becomes of training when the backend changes, breaks, or goes. */
async function incidents(): Promise<Incidents> {
  tf.env().set("WEBGL_CPU_FORWARD", false);
  const undisturbed = await interrupted(() => {});
  const moved = await interrupted((step) => tf.setBackend(step === 1 ? "cpu" : "webgl"));

  // Another backend of the same kind, whose programs give something else.
  tf.registerBackend("webgl-broken", tf.findBackendFactory("webgl"));
  tf.removeBackend("webgl");
  tf.registerBackend("webgl", tf.findBackendFactory("webgl-broken"));
  await tf.setBackend("webgl");
  const backend = tf.backend() as unknown as { runWebGLProgram(program: { userCode: string }): unknown };
  const { runWebGLProgram } = backend;
  backend.runWebGLProgram = (program, ...others: unknown[]) => {
    const userCode = program.userCode.replace("setOutput(squareAvg)", "setOutput(squareAvg + 1.)");
    return runWebGLProgram.apply(backend, [{ ...program, userCode }, ...others] as never);
  };
  const broken = await interrupted(() => {});
  backend.runWebGLProgram = runWebGLProgram;

  let lost = "no error";
  try {
    await interrupted(async () => {
      const { gl } = (tf.backend() as unknown as { gpgpu: { gl: WebGLRenderingContext } }).gpgpu;
      gl.getExtension("WEBGL_lose_context")!.loseContext();
      await new Promise((resolve) => gl.canvas.addEventListener("webglcontextlost", resolve));
    });
  } catch (error) {
    lost = String(error);
  }
  return { undisturbed, moved, broken, lost, warnings };
}

async function run(): Promise<Report | Incidents> {
  if (parameters.has("incidents")) return incidents();
  const backend = parameters.get("backend") ?? "webgl";
  // Else tf.js computes what is small on the processor, and gradients have to be uploaded.
  tf.env().set("WEBGL_CPU_FORWARD", false);
  for (const [flag, value] of parameters) {
    if (flag.startsWith("WEBGL_")) tf.env().set(flag, JSON.parse(value));
  }
  if (!(await tf.setBackend(backend))) throw new Error(`There is no backend ${backend} here.`);
  countPrograms();
  const outcomes: Outcome[] = [];
  for (const options of OPTIONS) for (const shape of SHAPES) outcomes.push(await compare(options, shape));
  const clipped: Outcome[] = [];
  for (const options of CLIPPED) clipped.push(await compare(options, [5, 3]));
  return {
    version: tf.version_core,
    epsilon: tf.backend().epsilon(),
    outcomes,
    clipped,
    left: await leftBySteps(),
    kept: await keptByOthers(),
    warnings,
  };
}

run()
  .catch((error) => ({ error: String(error?.stack ?? error) }))
  // As text, since Firefox's debugger hands out objects to a certain depth alone.
  .then((report) => Object.assign(globalThis, { result: JSON.stringify(report) }));
