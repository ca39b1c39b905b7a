/** The next character of a text, by a gated recurrent unit: back through time by hand. */
import { readFileSync } from "node:fs";
import { crossEntropy, initialise, type Tensors } from "./layers.ts";
import type { Task } from "./task.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

export function characters(): Task {
  // The licence: some thousand characters that never change.
  const text = readFileSync(new URL("../../LICENSE", import.meta.url), "utf8")
    .toLowerCase()
    .replace(/\s+/g, " ");
  const letters = [...new Set(text)].sort();
  const codes = Uint8Array.from(text, (letter) => letters.indexOf(letter));
  const [hidden, classes, length, batch] = [24, letters.length, 12, 3];
  const gates = 3 * hidden;
  const isHeld = (i: number) => i % 128 >= 96;
  const starts = (wanted: boolean) =>
    Array.from({ length: codes.length - length - 1 }, (_, i) => i).filter(
      (i) => isHeld(i) === wanted && isHeld(i + length) === wanted,
    );
  const [seen, held] = [starts(false), starts(true)];

  /** Runs one piece of text, and adds the gradients if there is a place for them. Gives the mean loss. */
  function run(p: Tensors, from: number, g: Tensors | undefined, share: number): number {
    const hs: Float64Array[] = [new Float64Array(hidden)];
    const steps: { z: Float64Array; r: Float64Array; n: Float64Array; un: Float64Array; dl: Float64Array }[] =
      [];
    let loss = 0;
    for (let t = 0; t < length; t++) {
      const h = hs[t]!;
      const input = codes[from + t]! * gates;
      const u = new Float64Array(gates);
      for (let k = 0; k < hidden; k++) {
        for (let j = 0; j < gates; j++) u[j]! += h[k]! * p.u![k * gates + j]!;
      }
      const [z, r, n, next] = [0, 1, 2, 3].map(() => new Float64Array(hidden)) as Float64Array[];
      for (let j = 0; j < hidden; j++) {
        const x = (gate: number) => p.w![input + gate * hidden + j]! + p.b![gate * hidden + j]!;
        z![j] = sigmoid(x(0) + u[j]!);
        r![j] = sigmoid(x(1) + u[hidden + j]!);
        n![j] = Math.tanh(x(2) + r![j]! * u[2 * hidden + j]!);
        next![j] = (1 - z![j]!) * n![j]! + z![j]! * h[j]!;
      }
      hs.push(next!);
      const logits = Float64Array.from(p.c!);
      for (let k = 0; k < hidden; k++) {
        for (let j = 0; j < classes; j++) logits[j]! += next![k]! * p.v![k * classes + j]!;
      }
      loss += crossEntropy(logits, [codes[from + t + 1]!], classes) / length;
      steps.push({ z: z!, r: r!, n: n!, un: u.subarray(2 * hidden), dl: logits });
    }
    if (!g) return loss;
    let dh = new Float64Array(hidden);
    for (let t = length - 1; t >= 0; t--) {
      const { z, r, n, un, dl } = steps[t]!;
      const [h, after] = [hs[t]!, hs[t + 1]!];
      const input = codes[from + t]! * gates;
      for (let j = 0; j < classes; j++) {
        const d = dl[j]! * share;
        g.c![j]! += d;
        for (let k = 0; k < hidden; k++) {
          g.v![k * classes + j]! += after[k]! * d;
          dh[k]! += p.v![k * classes + j]! * d;
        }
      }
      const du = new Float64Array(gates);
      const before = new Float64Array(hidden);
      for (let j = 0; j < hidden; j++) {
        const dn = dh[j]! * (1 - z[j]!) * (1 - n[j]! ** 2);
        const dz = dh[j]! * (h[j]! - n[j]!) * z[j]! * (1 - z[j]!);
        const dr = dn * un[j]! * r[j]! * (1 - r[j]!);
        before[j] = dh[j]! * z[j]!;
        [dz, dr, dn].forEach((d, gate) => {
          g.w![input + gate * hidden + j]! += d;
          g.b![gate * hidden + j]! += d;
        });
        du[j] = dz;
        du[hidden + j] = dr;
        du[2 * hidden + j] = dn * r[j]!;
      }
      for (let k = 0; k < hidden; k++) {
        for (let j = 0; j < gates; j++) {
          g.u![k * gates + j]! += h[k]! * du[j]!;
          before[k]! += p.u![k * gates + j]! * du[j]!;
        }
      }
      dh = before;
    }
    return loss;
  }

  return {
    name: "characters by a GRU",
    loss: "cross entropy",
    steps: 400,
    shapes: { w: [classes, gates], u: [hidden, gates], b: [gates], v: [hidden, classes], c: [classes] },
    start(p, random) {
      initialise(p.w!, 4, random);
      initialise(p.u!, hidden, random);
      initialise(p.v!, hidden, random);
    },
    gradients(p, g, random) {
      for (let i = 0; i < batch; i++) {
        run(p, seen[Math.floor(random() * seen.length)]!, g, 1 / (batch * length));
      }
    },
    evaluate: (p) => held.reduce((sum, from) => sum + run(p, from, undefined, 0), 0) / held.length,
  };
}
