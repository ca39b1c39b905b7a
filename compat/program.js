/**
 * The program that every cell of the matrix runs: 1,000 steps over everything that changes the mathematics, and one
 * digest of all bits at the end. It takes the package as an argument, since each cell gets that in its own way, and
 * uses nothing that engines may round differently: no `Math.sin`, and `**` of powers of two alone.
 */
const STEPS = 1000;

/**
 * @param {Pick<typeof import("rmsprop-wasm"), "RMSprop" | "dialects">} rmsprop the entry, or that of another type of elements
 * @param {import("rmsprop-wasm").Options} [options] a cell's wishes beside the mathematics: a backend, threads
 * @returns {Promise<{ backend: string, threads: number, digest: string }>}
 */
export async function run({ RMSprop, dialects }, options) {
  const variants = [...combinations(), ...Object.values(dialects)];
  const clippedByTensor = new RMSprop(
    variants.map((variant, i) => groupOf(variant, i, i % 3 === 1 ? { clipNorm: 2 } : {})),
    { ema: { decay: 0.99 }, ...options },
  );
  const clippedTogether = new RMSprop(
    variants.map((variant, i) => groupOf(variant, i, {})),
    { globalClipNorm: 50, nonFinite: "skip", ...options },
  );
  // Large enough for several threads to share, once they are up.
  const large = new RMSprop(
    { w: [150_000] },
    { momentum: 0.9, centered: true, globalClipNorm: 1, ...options },
  );
  await large.ready;

  trainAll(clippedByTensor, false);
  trainAll(clippedTogether, true);
  trainLarge(large);
  const { backend, threads } = large;
  const optimizers = [clippedByTensor, clippedTogether, large];
  const digest = digestOf(optimizers);
  for (const optimizer of optimizers) optimizer.dispose();
  return { backend, threads, digest };
}

/** @typedef {import("rmsprop-wasm").RMSprop<any> & { params: any, grads: any }} Optimizer */
/** @typedef {Partial<import("rmsprop-wasm").Hyperparameters>} Variant */

/** Every loop that the kernels have, and the other options strewn over them. */
function combinations() {
  /** @type {Variant[]} */
  let variants = [{}];
  /** @type {Variant[][]} */
  const choices = [
    [{}, { momentum: 0.9 }, { momentum: 0.7, nesterov: true }],
    [{}, { centered: true }],
    [{}, { biasCorrection: true }],
    [{}, { weightDecay: 0.01 }, { weightDecay: 0.02, decoupledWeightDecay: true }],
    [{}, { clipValue: 0.75 }],
  ];
  for (const choice of choices) {
    variants = variants.flatMap((variant) => choice.map((more) => ({ ...variant, ...more })));
  }
  return variants.map((variant, i) => ({
    ...variant,
    lr: i % 4 === 3 ? (/** @type {number} */ step) => 0.05 / (1 + step) : 0.01,
    alpha: [0.9, 0.99, 0.999][i % 5] ?? 0.95,
    eps: variant.centered || i % 7 < 3 ? 1e-2 : 1e-8, // centered, a steady gradient is divided by eps alone
    epsInsideSqrt: i % 5 < 2,
    lrInMomentum: i % 7 < 4,
    maximize: i % 11 === 5,
    initialSquareAvg: i % 13 === 6 ? 1 : 0,
  }));
}

/** Tensors of all lengths modulo a vector, and one whose gradient is mostly zero. */
function groupOf(/** @type {Variant} */ variant, /** @type {number} */ i, /** @type {Variant} */ clipping) {
  const params = { [`w${i}`]: [5 + (i % 23)], [`dead${i}`]: [1 + (i % 4)] };
  return { params, lr: 0.01, ...variant, ...clipping };
}

/** Takes the steps, some with a NaN. */
function trainAll(/** @type {Optimizer} */ optimizer, /** @type {boolean} */ spoils) {
  const { params, grads, groups } = optimizer;
  const next = noise();
  for (let step = 0; step < STEPS; step++) {
    groups.forEach(({ maximize }, i) => {
      for (const name of step % 500 === 3 ? [`w${i}`, `dead${i}`] : [`w${i}`]) {
        const [param, grad] = [params[name], grads[name]];
        for (let k = 0; k < param.length; k++) {
          // Towards k: what a step gives goes into the next one.
          const slope = param[k] - k + next();
          grad[k] += maximize ? -slope : slope;
        }
      }
    });
    if (step === 10) grads.w0[0] = 1e25; // its square overflows
    if (step % 100 === 77 && spoils) grads.w1[2] = NaN;
    const applied = optimizer.step({ gradScale: step % 3 === 0 ? 0.5 : 1, zeroGrad: step % 4 === 1 });
    if (!applied || step % 4 === 3) optimizer.zeroGrad();
    if (step === 300) {
      optimizer.groups[0].momentum = 0.5;
      optimizer.memory.grow(1);
      Object.values(grads); // the old views are dead
    }
  }
}

/** Takes rows of steps: workers help with updates of this size only if one follows the other. */
function trainLarge(/** @type {Optimizer} */ optimizer) {
  const { w } = optimizer.grads;
  const next = noise();
  for (let step = 0; step < 20; step++) {
    if (step % 10 === 0) for (let i = 0; i < w.length; i++) w[i] = next();
    optimizer.step();
  }
}

/** Seeded numbers from -1 to 1: integers of a linear congruential generator, by a power of two. */
function noise() {
  let state = 2026;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >> 8) / 2 ** 23;
  };
}

/** A digest of parameters, state, averages, norms and reports: two sums of 32 bits, as FNV makes them. */
function digestOf(/** @type {Optimizer[]} */ optimizers) {
  let a = 0x811c9dc5;
  let b = 0x9dc5811c;
  const add = (/** @type {Iterable<number>} */ words) => {
    for (const word of words) {
      a = Math.imul(a ^ word, 0x01000193);
      b = Math.imul(b ^ word, 0x5bd1e995);
    }
  };
  for (const optimizer of optimizers) {
    const { params, ema, state, steps, skippedSteps, gradNorm } = optimizer;
    for (const view of [params, ema, ...Object.values(state)].flatMap((record) => Object.values(record))) {
      add(new Uint32Array(view.buffer, view.byteOffset, view.byteLength / 4));
    }
    const figures = JSON.stringify([steps, skippedSteps, gradNorm, optimizer.report()]);
    add(Array.from(figures, (character) => character.charCodeAt(0))); // jsdom has no TextEncoder
  }
  return [a, b].map((sum) => (sum >>> 0).toString(16).padStart(8, "0")).join("");
}
