import type { Way } from "../way.ts";
import { timing } from "../way.ts";
import { basis, countOf, inputsOf, settingsOf, usesOnly, type Work } from "../work.ts";

/** What is used of tf.js. Its own types would have to be installed to check the bench's. */
interface Tensor {
  dataSync(): Float32Array;
  dispose(): void;
}
interface Variable extends Tensor {
  name: string;
}
interface Optimizer {
  applyGradients(gradients: Record<string, Tensor>): void;
  dispose(): void;
}
export interface Tf {
  version_core: string;
  enableProdMode(): void;
  setBackend(name: string): Promise<boolean>;
  tensor1d(values: Float32Array): Tensor;
  variable(initial: Tensor): Variable;
  train: {
    rmsprop(lr: number, decay: number, momentum: number, epsilon: number, centered: boolean): Optimizer;
  };
}

/** What its optimizer has: epsilon is always inside the root, and the rate inside the momentum. */
const options = ["momentum", "centered", "epsInsideSqrt", "lrInMomentum"] as const;

/** The largest count that ends in sane time: the cpu backend takes 200 ns and more for an element. */
const largest = { cpu: 2 ** 18, wasm: 2 ** 22 };

export function tfjsWay(tf: Tf, backend: "cpu" | "wasm"): Way {
  return {
    name: `tfjs-${backend}`,
    title: `tf.js, ${backend} backend`,
    formula: "tfjs",
    supports(work) {
      return countOf(work) <= largest[backend] && work.state === "ordinary" && usesOnly(work, options);
    },
    async prepare(work) {
      let model = await makeModel(tf, backend, work);
      const time = timing(() => model.optimizer.applyGradients(model.gradients));
      return {
        // tf.js gives nobody its buffers to clear, so the optimizer is made anew.
        async reset() {
          model.dispose();
          model = await makeModel(tf, backend, work);
        },
        async time(steps) {
          await tf.setBackend(backend);
          return time(steps);
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

async function makeModel(tf: Tf, backend: string, work: Work) {
  await tf.setBackend(backend);
  const { param, grad } = inputsOf(work);
  const { lr, alpha, eps } = basis;
  const { momentum, centered } = settingsOf(work);
  const optimizer = tf.train.rmsprop(lr, alpha, momentum, eps, centered);
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
