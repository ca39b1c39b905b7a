/** What is to be done, whoever does it: so many tensors of such a size, from this state, with these options. */

export interface Hyperparameters {
  lr: number;
  alpha: number;
  eps: number;
  weightDecay: number;
  momentum: number;
  centered: boolean;
  maximize: boolean;
}

export interface Work {
  /** As shown in the tables. */
  title: string;
  variant: VariantName;
  tensors: number;
  /** Elements of each tensor. */
  size: number;
  state: "ordinary" | "denormal" | "fading";
  /** Steps between two resets, where the state is what's being measured. Otherwise as many as a batch holds. */
  stepsPerReset?: number;
}

const plain: Hyperparameters = {
  lr: 1e-3,
  alpha: 0.99,
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0,
  centered: false,
  maximize: false,
};

export const variants = {
  plain,
  momentum: { ...plain, momentum: 0.9 },
  centered: { ...plain, centered: true },
  both: { ...plain, momentum: 0.9, centered: true },
  weightDecay: { ...plain, weightDecay: 1e-4 },
  maximize: { ...plain, maximize: true },
} satisfies Record<string, Hyperparameters>;

export type VariantName = keyof typeof variants;

export const countOf = (work: Work): number => work.tensors * work.size;
export const hyperparametersOf = (work: Work): Hyperparameters => variants[work.variant];

/** What a step must read and write: p and v both ways, g once; each further buffer both ways. */
export function bytesPerElement({ momentum, centered }: Hyperparameters): number {
  return 20 + (momentum > 0 ? 8 : 0) + (centered ? 8 : 0);
}

/**
 * Where v starts. Frameworks start at 0, which the first gradient lifts to an ordinary value. 1e-40 is denormal at
 * once; 1e-36 becomes so by decay, after 460 steps of zero gradients.
 */
export const initialSquareAvg = { ordinary: 0, denormal: 1e-40, fading: 1e-36 };

export const hasGradients = (work: Work): boolean => work.state === "ordinary";

const MILLION = 2 ** 20;

/** In binary thousands, as caches are. */
export function sizeTitle(count: number): string {
  if (count >= MILLION) return `${count / MILLION} M elements`;
  return count >= 1024 ? `${count / 1024} k elements` : `${count} elements`;
}

/** The same integers in `pytorch.py`, so that both sides start alike with nothing sent between them. */
function hash(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (x ^ (x >>> 16)) >>> 0;
}

export interface Inputs {
  readonly param: Float32Array;
  readonly grad: Float32Array;
}

/** Makes for each work once, and lets go of it together with the work. */
export function oncePerWork<Made>(make: (work: Work) => Made): (work: Work) => Made {
  const all = new WeakMap<Work, Made>();
  return (work) => {
    if (!all.has(work)) all.set(work, make(work));
    return all.get(work)!;
  };
}

/** Shared by all ways: nobody writes into them. */
export const inputsOf = oncePerWork(seededInputs);

/** Parameters in ±0.5, and gradients in ±1/16 to ±9/16: none so near zero that eps decides the result. */
function seededInputs(work: Work): Inputs {
  const count = countOf(work);
  const param = new Float32Array(count);
  const grad = new Float32Array(count);
  for (let i = 0; i < count; i++) param[i] = hash(2 * i) / 2 ** 32 - 0.5;
  if (hasGradients(work)) {
    for (let i = 0; i < count; i++) {
      const g = hash(2 * i + 1) / 2 ** 32 - 0.5;
      grad[i] = g + Math.sign(g) / 16;
    }
  }
  return { param, grad };
}
