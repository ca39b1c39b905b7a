import type { Options } from "rmsprop-wasm";
import { RMSprop } from "../built.ts";
import type { Runner, Way } from "../way.ts";
import { timing } from "../way.ts";
import {
  arrayOf,
  countOf,
  initialSquareAvg,
  inputsOf,
  oncePerWork,
  optionsOf,
  resultPlanes,
  settingsOf,
  type Work,
} from "../work.ts";

type Optimizer = InstanceType<typeof RMSprop>;

/**
 * The classes by the type of their elements. The bench adds that of float64: the page, which measures float32 alone, needn't
 * carry it.
 */
export const classes: { float32: typeof RMSprop; float64?: typeof RMSprop } = { float32: RMSprop };

/** `step()` and the bare kernel run on the very same bytes, so that their ratio is the cost of the class alone. */
export const sharedOptimizer = oncePerWork((work) => makeOptimizer(work, { backend: "wasm" }));

export function makeOptimizer(work: Work, how: Pick<Options, "backend" | "threads">): Optimizer {
  const shapes = Object.fromEntries(Array.from({ length: work.tensors }, (_, i) => [`t${i}`, [work.size]]));
  const { gradScale, zeroGrad, ...options } = optionsOf(work);
  const Class = classes[work.elements ?? "float32"]!;
  return new Class(shapes, { ...options, ...how });
}

/** A runner on an optimizer's tensors, with any function that steps them. */
export function runnerOn(optimizer: Optimizer, work: Work, step: () => void): Runner {
  const { param, grad } = inputsOf(work);
  const names = Object.keys(optimizer.params);
  const records = { param: optimizer.params, ema: optimizer.ema, grad: optimizer.grads };
  const write = (record: Optimizer["params"], all: Float32Array) =>
    names.forEach((name, i) => {
      record[name]!.set(all.subarray(i * work.size, (i + 1) * work.size));
    });
  const writeGradients = () => write(optimizer.grads, grad);
  // State that goes on from step to step beside the averages: the points of scheduleFree, and a learned rate.
  const { scheduleFree, lr } = settingsOf(work);
  const start = scheduleFree || lr === "auto" ? optimizer.stateDict() : undefined;
  return {
    reset() {
      if (start) optimizer.loadStateDict(start);
      write(optimizer.params, param);
      writeGradients();
      for (const name of names) {
        const { squareAvg, momentumBuffer, gradAvg } = optimizer.state[name]!;
        squareAvg.fill(initialSquareAvg[work.state]);
        // So small that no formula shows it, and on its way to the denormals too.
        const fading = work.state === "fading" ? initialSquareAvg.fading : 0;
        momentumBuffer?.fill(fading);
        gradAvg?.fill(fading);
        optimizer.ema[name]?.fill(0);
      }
    },
    time: timing(step, work.rewritesGradients && writeGradients),
    read() {
      const planes = resultPlanes(work);
      const all = new (arrayOf(work))(planes.length * countOf(work));
      planes.forEach((plane, at) => {
        names.forEach((name, i) => {
          all.set(records[plane][name]!, at * countOf(work) + i * work.size);
        });
      });
      return all;
    },
    dispose: () => optimizer.dispose(),
  };
}

/** Byte offsets of the only tensor, by plane. */
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

export const ours = { formula: "pytorch", bitExact: true } as const;

export const step: Way = {
  ...ours,
  name: "step",
  title: "step()",
  supports: () => true,
  prepare(work) {
    const optimizer = sharedOptimizer(work);
    return runnerOn(optimizer, work, stepOf(optimizer, work));
  },
};

export function stepOf(optimizer: Optimizer, work: Work): () => void {
  const { gradScale, zeroGrad } = settingsOf(work);
  if (gradScale === 1 && !zeroGrad) return () => optimizer.step();
  return () => optimizer.step({ gradScale, zeroGrad });
}

export const jsBackend: Way = {
  ...ours,
  name: "js",
  title: "the JavaScript backend",
  supports: (work) => countOf(work) <= 2 ** 20,
  prepare(work) {
    const optimizer = makeOptimizer(work, { backend: "js" });
    return runnerOn(optimizer, work, stepOf(optimizer, work));
  },
};

/** `step()` on so many threads, as `title` says it. Fewer that start are an error. */
export const poolOf = (threads: number, title: string): Way => ({
  ...ours,
  name: "pool",
  title: `step(), ${title}`,
  supports: () => true,
  async prepare(work) {
    const optimizer = makeOptimizer(work, { threads });
    await optimizer.ready;
    if (optimizer.threads !== threads) {
      throw new Error(`Of ${threads} threads only ${optimizer.threads} started.`);
    }
    return runnerOn(optimizer, work, stepOf(optimizer, work));
  },
});
