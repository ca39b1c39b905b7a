import { readFileSync } from "node:fs";
import { dist, instantiate, RMSprop } from "../built.ts";
import type { Runner, Way } from "../way.ts";
import { timing } from "../way.ts";
import { countOf, hyperparametersOf, initialSquareAvg, inputsOf, oncePerWork, type Work } from "../work.ts";

type Optimizer = InstanceType<typeof RMSprop>;

/** `step()` and the bare kernel run on the very same bytes, so that their ratio is the cost of the class alone. */
export const sharedOptimizer = oncePerWork((work) => makeOptimizer(work, "wasm"));

function makeOptimizer(work: Work, backend: "wasm" | "js"): Optimizer {
  const shapes = Object.fromEntries(Array.from({ length: work.tensors }, (_, i) => [`t${i}`, [work.size]]));
  return new RMSprop(shapes, { ...hyperparametersOf(work), backend });
}

/** A runner whose tensors are an optimizer's, whatever it is that steps them. */
export function runnerOn(optimizer: Optimizer, work: Work, step: () => void): Runner {
  const { param, grad } = inputsOf(work);
  const names = Object.keys(optimizer.params);
  const partOf = (all: Float32Array, i: number) => all.subarray(i * work.size, (i + 1) * work.size);
  return {
    reset() {
      names.forEach((name, i) => {
        const { squareAvg, momentumBuffer, gradAvg } = optimizer.state[name]!;
        optimizer.params[name]!.set(partOf(param, i));
        optimizer.grads[name]!.set(partOf(grad, i));
        squareAvg.fill(initialSquareAvg[work.state]);
        momentumBuffer?.fill(0);
        gradAvg?.fill(0);
      });
    },
    time: timing(step),
    read() {
      const all = new Float32Array(countOf(work));
      names.forEach((name, i) => {
        all.set(optimizer.params[name]!, i * work.size);
      });
      return all;
    },
    dispose: () => optimizer.dispose(),
  };
}

/** Byte offsets of the only tensor. */
export function planesOf(optimizer: Optimizer) {
  const { squareAvg, momentumBuffer, gradAvg } = optimizer.state.t0!;
  return {
    param: optimizer.params.t0!.byteOffset,
    grad: optimizer.grads.t0!.byteOffset,
    squareAvg: squareAvg.byteOffset,
    ...(momentumBuffer && { momentumBuffer: momentumBuffer.byteOffset }),
    ...(gradAvg && { gradAvg: gradAvg.byteOffset }),
  };
}

const ours = { formula: "pytorch", bitExact: true } as const;

export const step: Way = {
  ...ours,
  name: "step",
  title: "step()",
  supports: () => true,
  prepare(work) {
    const optimizer = sharedOptimizer(work);
    return runnerOn(optimizer, work, () => optimizer.step());
  },
};

let module: WebAssembly.Module | undefined;

export const kernel: Way = {
  ...ours,
  name: "kernel",
  title: "the bare kernel",
  supports: (work) => work.tensors === 1,
  prepare(work) {
    const optimizer = sharedOptimizer(work);
    module ??= new WebAssembly.Module(readFileSync(new URL("core.wasm", dist)));
    const { exports } = new WebAssembly.Instance(module, { env: { memory: optimizer.memory } });
    const update = exports.update as (...args: number[]) => void;
    const { lr, alpha, eps, weightDecay, momentum, centered, maximize } = hyperparametersOf(work);
    const { param, grad, squareAvg, momentumBuffer = 0, gradAvg = 0 } = planesOf(optimizer);
    const isShaped = maximize || weightDecay > 0;
    const variant = (momentum > 0 ? 1 : 0) + (centered ? 2 : 0) + (isShaped ? 4 : 0);
    const [updateScale, bufferScale] = momentum > 0 ? [1, lr] : [lr, 1];
    const gradScale = maximize ? -1 : 1;
    const count = work.size;
    return runnerOn(optimizer, work, () =>
      update(
        variant,
        param,
        grad,
        squareAvg,
        momentumBuffer,
        gradAvg,
        count,
        alpha,
        1 - alpha,
        eps,
        updateScale,
        momentum,
        bufferScale,
        gradScale,
        weightDecay,
      ),
    );
  },
};

export const core: Way = {
  ...ours,
  name: "core",
  title: "update() of /core",
  supports: (work) => work.tensors === 1,
  prepare(work) {
    const optimizer = sharedOptimizer(work);
    const { update } = instantiate(optimizer.memory);
    const tensor = { ...planesOf(optimizer), count: work.size };
    const hyperparameters = hyperparametersOf(work);
    return runnerOn(optimizer, work, () => update(tensor, hyperparameters));
  },
};

export const jsBackend: Way = {
  ...ours,
  name: "js",
  title: "the JavaScript backend",
  supports: (work) => countOf(work) <= 2 ** 20,
  prepare(work) {
    const optimizer = makeOptimizer(work, "js");
    return runnerOn(optimizer, work, () => optimizer.step());
  },
};
