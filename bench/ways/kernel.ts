/** The kernels without the class around them: the binary itself, and the `core` entry. */
import { readFileSync } from "node:fs";
import { FLOAT32 } from "../../src/base/real.ts";
import { argumentsOf } from "../../src/kernel/contract.ts";
import { scalarsOf } from "../../src/options/scalars.ts";
import { dist, instantiate } from "../built.ts";
import type { Way } from "../way.ts";
import { basis, optionsOf, settingsOf, usesOnly } from "../work.ts";
import { ours, planesOf, runnerOn, sharedOptimizer } from "./ours.ts";

let module: WebAssembly.Module | undefined;

/** The options that are arguments of a kernel call, and the same for every step. */
const inKernel = [
  "epsInsideSqrt",
  "weightDecay",
  "decoupledWeightDecay",
  "momentum",
  "lrInMomentum",
  "nesterov",
  "centered",
  "clipValue",
  "maximize",
  "gradScale",
  "zeroGrad",
] as const;

export const kernel: Way = {
  ...ours,
  name: "kernel",
  title: "the bare kernel",
  supports: (work) => work.tensors === 1 && usesOnly(work, inKernel),
  prepare(work) {
    const optimizer = sharedOptimizer(work);
    module ??= new WebAssembly.Module(readFileSync(new URL("core.wasm", dist)));
    const { exports } = new WebAssembly.Instance(module, { env: { memory: optimizer.memory } });
    const update = exports.update as (...args: number[]) => void;
    const settings = { ...settingsOf(work), lr: basis.lr };
    const scalars = scalarsOf(settings, basis.lr, { ...settings, step: 0, emaDecay: undefined }, FLOAT32);
    const { param, grad, squareAvg, momentumBuffer = 0, gradAvg = 0 } = planesOf(optimizer);
    const segment = {
      param,
      grad,
      squareAvg,
      momentumBuffer,
      gradAvg,
      ema: 0,
      z: 0,
      moved: 0,
      count: work.size,
    };
    // Bound, a call takes as long as with its arguments written out; with a list spread, ten times as long.
    return runnerOn(optimizer, work, update.bind(null, ...argumentsOf(segment, scalars)));
  },
};

export const core: Way = {
  ...ours,
  name: "core",
  title: "update() of /core",
  supports: (work) => work.tensors === 1 && usesOnly(work, inKernel),
  prepare(work) {
    const optimizer = sharedOptimizer(work);
    const { update } = instantiate(optimizer.memory);
    const tensor = { ...planesOf(optimizer), count: work.size };
    const options = { ...optionsOf(work), lr: basis.lr };
    return runnerOn(optimizer, work, () => update(tensor, options));
  },
};
