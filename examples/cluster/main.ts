/**
 * One run on two continents: it is begun in Node, goes on in two processes of PyTorch (DistributedDataParallel over
 * gloo), and comes back. The curve of the loss has no seam, where it has two if the weights travel alone.
 *
 *     npm run example:cluster        with a Python that has torch and safetensors, or PYTHON=…/python npm run …
 *
 * Read on in `journey.ts` and `cluster.py`.
 */
import { findPython } from "../../tools/python.mjs";
import { loadMnist } from "../mnist/data.ts";
import { farthest, STEPS, stayHere, travel, travelWithWeightsAlone } from "./journey.ts";

const found = findPython("torch", "safetensors", "numpy");
if (found) {
  await main(found.python);
} else {
  console.error(
    "No Python with torch, safetensors and numpy found: install them, and name that Python in PYTHON.",
  );
  process.exitCode = 1;
}

async function main(python: string): Promise<void> {
  const { train } = loadMnist();
  console.log(
    `${STEPS} steps of 64 digits: a third in Node, a third in two PyTorch processes, a third in Node.\n`,
  );
  const curves = [stayHere(train), await travel(train, python), travelWithWeightsAlone(train)];
  console.log("  step  all in Node   travelled   weights alone");
  for (let step = 0; step < STEPS; step += 6) {
    const border = step > 0 && step % (STEPS / 3) === 0 ? " ← over the border" : "";
    const [stayed, travelled, alone] = curves.map((losses) => mean(losses.slice(step, step + 6)).toFixed(4));
    console.log(
      `${String(step).padStart(6)}  ${stayed!.padStart(11)} ${travelled!.padStart(11)} ${alone!.padStart(15)}${border}`,
    );
  }
  const [stayed, travelled, alone] = curves as [number[], number[], number[]];
  console.log(
    `\nFarthest from the run that stayed in Node: ${farthest(travelled, stayed).toExponential(1)} with all of the`,
  );
  console.log(`optimizer, ${farthest(alone, stayed).toExponential(1)} with the weights alone.`);
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
