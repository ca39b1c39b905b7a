/** In a browser: updates on the graphics card, compared with the JavaScript backend, counted and reported. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-webgl";
import { dialects, RMSprop } from "rmsprop-wasm/js";
import { type RMSPropOptions, rmsprop } from "rmsprop-wasm/tfjs";
import { counts, limitTargets, startCounting } from "./card-counts.ts";
import { report } from "./page-report.ts";

/** One set of options on one shape. */
export interface Outcome {
  options: RMSPropOptions;
  shape: number[];
  /** The largest distance of a parameter from that of the JavaScript backend, after three steps. */
  distance: number;
  isFinite: boolean;
  /** Programs that the third step ran. */
  programs: number;
  /** Times that the steps read anything back from the card. */
  reads: number;
  /** Whether `train()` brought the parameters back to the bit, for which `eval()` had put the averages. */
  isBack: boolean;
}

/** Five steps with `nonFinite: "throw"`, of which the second and the last have a NaN, and then `getWeights`. */
export interface Throwing {
  /** The error of each. */
  errors: (string | null)[];
  /** Whether each step has changed the parameters. */
  changes: boolean[];
  /** The count of steps, before the last and at the end. */
  iterations: number[];
  /** Times that a step waited for the card. */
  waits: number;
  /** Tensors that all that has left. */
  left: number;
}

export interface Report {
  warnings: string[];
  version: string;
  epsilon: number;
  outcomes: Outcome[];
  /** Tensors and bytes that 2,000 further steps (in brief, 100), after the first ones, have left. */
  left: { tensors: number; bytes: number };
  /** Values of a clone, and of a read that was pending during a step: both those before the step. */
  kept: { clone: number[]; pending: number[]; after: number[] };
  clipped: Outcome[];
  /** Programs that a first step compiles for eight variables of three ranks, on webgl. */
  compiled: number;
  throwing: Throwing;
  /** Steps of which the second has a NaN in one of its gradients. */
  skipping: (Outcome & { skippedSteps: number; iterations: number })[];
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
  { scheduleFree: true },
  {
    scheduleFree: { beta: 0.5, warmupSteps: 2, r: 1 },
    momentum: 0.9,
    weightDecay: 0.1,
    decoupledWeightDecay: true,
  },
  {
    scheduleFree: true,
    weightDecay: 0.1,
    centered: true,
    momentum: 0.9,
    nesterov: true,
    biasCorrection: true,
  },
];
const CLIPPED: RMSPropOptions[] = [{ clipNorm: 0.5 }, { globalClipNorm: 0.5 }];
const SKIPPING: RMSPropOptions[] = [
  {},
  { momentum: 0.9 },
  { momentum: 0.9, centered: true, weightDecay: 0.1 },
  { globalClipNorm: 0.5, maximize: true },
];
/** Those whose numbers follow the count of steps, so that each step reads. On webgpu that ends Chromium's software rendering. */
const SKIPPING_BY_READS: RMSPropOptions[] = [{ biasCorrection: true }, { lr: (step) => 0.01 / (1 + step) }];
/** In brief, some ranks and fewer steps. */
const isBrief = parameters.has("brief");
const SHAPES = isBrief
  ? [[7], [5, 3]]
  : [[], [1], [7], [0], [5, 3], [2, 3, 4], [2, 1, 3, 2], [1, 2, 2, 3, 2]];

const wave = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(1 + i * 7 + seed * 3));

async function compare(options: RMSPropOptions, shape: number[]): Promise<Outcome> {
  const count = shape.reduce((product, size) => product * size, 1);
  // Where float16 is all that there is, roundings are in proportion.
  const settings = { lr: 0.01, eps: 1e-3, ...options };
  // RMSprop takes no tensor without elements: then there is nothing to compare.
  const compared = Math.max(1, count);
  const reference = new RMSprop({ w: wave(compared, 0) }, { ...dialects.tfjs, ...settings });
  const optimizer = rmsprop(settings);
  const variable = tf.tidy(() => tf.variable(tf.tensor(wave(count, 0), shape)));
  let readBack = 0;
  for (let step = 1; step <= 3; step++) {
    reference.grads.w.set(wave(compared, step));
    reference.step();
    const gradient = tf.tensor(wave(count, step), shape);
    // On the card, as gradients are.
    const onCard = tf.mul(gradient, 1);
    Object.assign(counts, { programs: 0, reads: 0 });
    optimizer.applyGradients({ [variable.name]: onCard });
    readBack += counts.reads;
    tf.dispose([gradient, onCard]);
  }
  const ran = counts.programs;
  const values = await variable.data();
  const distances = [...values].map((value, i) => Math.abs(value - reference.params.w[i]!));
  let isBack = true;
  if (options.scheduleFree) {
    for (const one of [optimizer, reference]) one.eval();
    const averages = await variable.data();
    distances.push(...[...averages].map((value, i) => Math.abs(value - reference.params.w[i]!)));
    optimizer.train();
    const trained = await variable.data();
    isBack = values.every((value, i) => Object.is(value, trained[i]));
  }
  for (const used of [variable, optimizer]) used.dispose();
  return {
    options,
    shape,
    distance: Math.max(0, ...distances),
    isFinite: [...values].every(Number.isFinite),
    programs: ran,
    reads: readBack,
    isBack,
  };
}

async function throwing(): Promise<Throwing> {
  const { numTensors } = tf.memory();
  const optimizer = rmsprop({ nonFinite: "throw", globalClipNorm: 1 });
  const variables = tf.tidy(() => ({
    a: tf.variable(tf.tensor1d(wave(5, 0)), true, "a"),
    b: tf.variable(tf.tensor1d(wave(7, 1)), true, "b"),
  }));
  const found: Throwing = { errors: [], changes: [], iterations: [], waits: 0, left: 0 };
  const attempt = async (act: () => unknown) => {
    try {
      await act();
      found.errors.push(null);
    } catch (error) {
      found.errors.push(String(error));
    }
  };
  const step = async (isBroken: boolean) => {
    const b = wave(7, 3);
    if (isBroken) b[3] = NaN;
    const before = await variables.a.data();
    counts.waits = 0;
    await attempt(() =>
      tf.tidy(() =>
        optimizer.applyGradients({ a: tf.mul(tf.tensor1d(wave(5, 2)), 1), b: tf.mul(tf.tensor1d(b), 1) }),
      ),
    );
    found.waits += counts.waits;
    // As `fit` waits for the loss.
    const after = await variables.a.data();
    found.changes.push(after.some((value, i) => value !== before[i]));
  };
  for (const isBroken of [false, true, false, false]) await step(isBroken);
  found.iterations.push(optimizer.iterations);
  await step(true);
  await attempt(() => optimizer.getWeights());
  found.iterations.push(optimizer.iterations);
  for (const used of [variables.a, variables.b, optimizer]) used.dispose();
  found.left = tf.memory().numTensors - numTensors;
  return found;
}

/** Steps of two variables, the second step with a NaN in the gradient of the first alone. */
async function skip(options: RMSPropOptions, broken: number): Promise<Report["skipping"][number]> {
  const shapes = { a: [5, 3], b: [7] };
  const settings: RMSPropOptions = { lr: 0.01, eps: 1e-3, nonFinite: "skip", ...options };
  const initial = { a: wave(15, 0), b: wave(7, 4) };
  const reference = new RMSprop(initial, { ...dialects.tfjs, ...settings });
  const optimizer = rmsprop(settings);
  const variables = tf.tidy(() => ({
    a: tf.variable(tf.tensor(initial.a, shapes.a)),
    b: tf.variable(tf.tensor(initial.b, shapes.b)),
  }));
  let readBack = 0;
  for (let step = 1; step <= 4; step++) {
    const gradients = { a: wave(15, step), b: wave(7, step + 9) };
    if (step === 2) gradients.a[11] = broken;
    reference.grads.a.set(gradients.a);
    reference.grads.b.set(gradients.b);
    reference.step();
    const onCard = tf.tidy(() => [
      { name: variables.a.name, tensor: tf.mul(tf.tensor(gradients.a, shapes.a), 1) },
      { name: variables.b.name, tensor: tf.mul(tf.tensor(gradients.b, shapes.b), 1) },
    ]);
    Object.assign(counts, { programs: 0, reads: 0 });
    optimizer.applyGradients(onCard);
    readBack += counts.reads;
    for (const { tensor } of onCard) tensor.dispose();
  }
  const ran = counts.programs;
  const [iterations] = await optimizer.getWeights(); // reads the count without blocking
  const values = [...(await variables.a.data()), ...(await variables.b.data())];
  const expected = [...reference.params.a, ...reference.params.b];
  const outcome = {
    options: settings,
    shape: shapes.a,
    distance: Math.max(...values.map((value, i) => Math.abs(value - expected[i]!))),
    isFinite: values.every(Number.isFinite),
    programs: ran,
    reads: readBack,
    isBack: true,
    skippedSteps: optimizer.skippedSteps,
    iterations: (await iterations!.tensor.data())[0]!,
  };
  for (const used of [variables.a, variables.b, optimizer]) used.dispose();
  return outcome;
}

/** Counts what is compiled by a first step, of a variant that nothing else here uses. */
function compiledByFirstStep(): number {
  const { gpgpu } = tf.backend() as unknown as { gpgpu?: { gl: WebGL2RenderingContext } };
  if (!gpgpu) return 0;
  let compiled = 0;
  const { gl } = gpgpu;
  const { linkProgram } = gl;
  const shapes = [[3, 3, 1, 8], [8], [3, 3, 8, 16], [16], [40, 32], [32], [32, 10], [10]];
  const variables = shapes.map((shape) => tf.tidy(() => tf.variable(tf.mul(tf.ones(shape), 1))));
  const gradients = variables.map(({ name, shape }) => ({
    name,
    tensor: tf.tidy(() => tf.mul(tf.ones(shape), 2)),
  }));
  const optimizer = rmsprop({ momentum: 0.9, clipValue: 1, biasCorrection: true });
  gl.linkProgram = (program) => {
    compiled++;
    linkProgram.call(gl, program);
  };
  optimizer.applyGradients(gradients);
  gl.linkProgram = linkProgram;
  tf.dispose([...variables, ...gradients.map(({ tensor }) => tensor)]);
  optimizer.dispose();
  return compiled;
}

async function leftBySteps(): Promise<Report["left"]> {
  const shapes = [[8, 4], [4], []];
  const variables = shapes.map((shape) => tf.variable(tf.ones(shape)));
  const optimizer = rmsprop({ momentum: 0.9, centered: true, nonFinite: "skip", globalClipNorm: 1 });
  const step = () =>
    tf.tidy(() => {
      optimizer.applyGradients(
        variables.map(({ name, shape }) => ({ name, tensor: tf.mul(tf.ones(shape), 2) })),
      );
    });
  const held = async () => {
    await variables[0]!.data(); // webgpu frees what waits for a card when that has been asked for an answer
    const { numTensors: tensors, numBytesInGPU: bytes } = tf.memory() as tf.MemoryInfo & {
      numBytesInGPU: number;
    };
    return { tensors, bytes };
  };
  for (let n = 0; n < 3; n++) step();
  const before = await held();
  for (let n = 0; n < (isBrief ? 100 : 2000); n++) step();
  const after = await held();
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

async function run(): Promise<Report> {
  const backend = parameters.get("backend") ?? "webgl";
  if (backend === "webgpu") {
    // Older versions of tf.js ask in a way that browsers have given up.
    const asked = GPUAdapter.prototype as { requestAdapterInfo?(this: { info: object }): Promise<object> };
    asked.requestAdapterInfo ??= async function () {
      return this.info;
    };
    await import("@tensorflow/tfjs-backend-webgpu");
  }
  // Else tf.js computes what is small on the processor, and gradients have to be uploaded.
  tf.env().set("WEBGL_CPU_FORWARD", false);
  for (const [flag, value] of parameters) {
    if (flag.startsWith("WEBGL_")) tf.env().set(flag, JSON.parse(value));
  }
  if (!(await tf.setBackend(backend))) throw new Error(`There is no backend ${backend} here.`);
  startCounting();
  const targets = parameters.get("targets");
  if (targets) limitTargets(Number(targets));
  const { ready } = rmsprop();
  await ready;
  const outcomes: Outcome[] = [];
  for (const options of OPTIONS) for (const shape of SHAPES) outcomes.push(await compare(options, shape));
  const clipped: Outcome[] = [];
  for (const options of CLIPPED) clipped.push(await compare(options, [5, 3]));
  const skipping: Report["skipping"] = [];
  const all = backend === "webgpu" ? SKIPPING : [...SKIPPING, ...SKIPPING_BY_READS];
  for (const options of all) {
    for (const broken of [NaN, -Infinity]) skipping.push(await skip(options, broken));
  }
  return {
    version: tf.version_core,
    epsilon: tf.backend().epsilon(),
    outcomes,
    clipped,
    skipping,
    throwing: await throwing(),
    compiled: compiledByFirstStep(),
    left: await leftBySteps(),
    kept: await keptByOthers(),
    warnings,
  };
}

report(run);
