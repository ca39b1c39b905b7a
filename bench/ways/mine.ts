/** The reader's own loop, from a file that `--mine` names, beside the package. */
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import type { Formula } from "../formula.ts";
import type { Way } from "../way.ts";
import { isPlain, type Loop, prepareLoop } from "./javascript.ts";

/** A loop with the arguments of `plainRmsprop`, and the formula that it is checked against. */
interface Exports {
  default?: Loop;
  formula?: Formula;
}

const EXPECTED =
  "expected `export default function (param, grad, squareAvg, { lr, alpha, eps }) { … }` over Float32Arrays";

export async function ownLoop(path: string): Promise<Way> {
  const { default: update, formula = "pytorch" }: Exports = await import(pathToFileURL(path).href);
  if (typeof update !== "function") throw new Error(`${path} exports no function by default, ${EXPECTED}.`);
  if (formula !== "pytorch" && formula !== "tfjs") {
    throw new Error(
      `${path} exports the formula ${JSON.stringify(formula)}, expected "pytorch" (eps is added to the root) or "tfjs" (inside it).`,
    );
  }
  return {
    name: "mine",
    title: `yours, ${basename(path)}`,
    formula,
    supports: isPlain,
    prepare: (work) => prepareLoop(work, update),
  };
}
