import type { Optimizer, Tensor, Variable } from "@tensorflow/tfjs-core";
import type { Way } from "../way.ts";
import { timing } from "../way.ts";
import { basis, countOf, inputsOf, type Settings, settingsOf, usesOnly, type Work } from "../work.ts";

export type Tf = typeof import("@tensorflow/tfjs-core");

/** An optimizer of tf.js's variables. Its epsilon is inside the root, and its rate inside the momentum. */
export interface Kind {
  suffix: string;
  title: string;
  options: readonly (keyof Settings)[];
  make(tf: Tf, settings: Settings): Optimizer | Promise<Optimizer>;
}

const { lr, alpha, eps } = basis;

export const ownOptimizer: Kind = {
  suffix: "",
  title: "tf.js",
  options: ["momentum", "centered", "epsInsideSqrt", "lrInMomentum"],
  make: (tf, { momentum, centered }) => tf.train.rmsprop(lr, alpha, momentum, eps, centered),
};

type Rmsprop = typeof import("rmsprop-wasm/tfjs").rmsprop;

/** The drop-in, which `load` gives. It has no part in centered work, where the formula to check against has tf.js's error. */
export const dropInOf = (load: () => Promise<Rmsprop>): Kind => ({
  suffix: "-drop-in",
  title: "rmsprop-wasm/tfjs",
  options: ["momentum", "epsInsideSqrt", "lrInMomentum"],
  async make(_, { momentum }) {
    const optimizer = (await load())({ ...basis, momentum });
    await optimizer.ready;
    return optimizer;
  },
});

/** The largest count that ends in reasonable time: the cpu backend takes 200 ns and more for an element. */
const largest = { cpu: 2 ** 18, wasm: 2 ** 22, webgl: 2 ** 20 };
type Backend = keyof typeof largest;

export function tfjsWay(tf: Tf, backend: Backend, kind: Kind): Way {
  return {
    name: `tfjs-${backend}${kind.suffix}`,
    title: `${kind.title}, ${backend} backend`,
    formula: "tfjs",
    supports(work) {
      const isKnown = work.state === "ordinary" && usesOnly(work, kind.options);
      return isKnown && countOf(work) <= largest[backend];
    },
    async prepare(work) {
      let model = await makeModel(tf, backend, kind, work);
      const time = timing(() => model.optimizer.applyGradients(model.gradients));
      return {
        // Its buffers can't be cleared from outside, so the optimizer is made anew.
        async reset() {
          model.dispose();
          model = await makeModel(tf, backend, kind, work);
        },
        async time(steps) {
          await tf.setBackend(backend);
          const start = performance.now();
          const nanoseconds = time(steps);
          if (backend !== "webgl") return nanoseconds;
          // The card has only been told what to do. Whoever reads a number waits until it is done.
          tf.tidy(() => tf.slice(model.variables.at(-1)!, 0, 1).dataSync());
          return (performance.now() - start) * 1e6;
        },
        read() {
          const all = new Float32Array(countOf(work));
          model.variables.forEach((variable, i) => {
            all.set(variable.dataSync(), i * work.size);
          });
          return all;
        },
        dispose: () => model.dispose(),
      };
    },
  };
}

async function makeModel(tf: Tf, backend: string, kind: Kind, work: Work) {
  await tf.setBackend(backend);
  const { param, grad } = inputsOf(work);
  const optimizer = await kind.make(tf, settingsOf(work));
  const variables: Variable[] = [];
  const gradients: Record<string, Tensor> = {};
  for (let i = 0; i < work.tensors; i++) {
    const part = [i * work.size, (i + 1) * work.size] as const;
    const initial = tf.tensor1d(param.slice(...part));
    const variable = tf.variable(initial);
    initial.dispose();
    variables.push(variable);
    gradients[variable.name] = tf.tensor1d(grad.slice(...part));
  }
  return {
    optimizer,
    variables,
    gradients,
    dispose() {
      optimizer.dispose();
      for (const tensor of [...variables, ...Object.values(gradients)]) tensor.dispose();
    },
  };
}
