/** Words about the runs. */
import { short } from "../page/numbers.ts";
import { type Broken, EXPLODED, GUESS, METHODS, type Method, PATIENCE } from "./trainer.ts";

export const methodTitles: Record<Method, string> = { rmsprop: "RMSprop", descent: "Gradient descent" };

const REASONS: Record<Broken["why"], string> = {
  nan: "its loss is no number any more",
  exploded: `for ${PATIENCE} steps its loss has been above ${short(EXPLODED * GUESS)}, ${EXPLODED} times that of a guess`,
  dead: `for ${PATIENCE} steps none of its hidden units has had a gradient: they are dead`,
};

/** The runs that are broken, and why; empty where none is. */
export function brokenText(runs: Record<Method, { broken?: Broken }>): string {
  const sentences = METHODS.flatMap((method) => {
    const { broken } = runs[method];
    if (!broken) return [];
    const { why, step, lr } = broken;
    return `${methodTitles[method]} is broken: start over. At step ${step}, with lr = ${short(lr)}, ${REASONS[why]}.`;
  });
  return sentences.length === 0 ? "" : `${sentences.join(" ")} Choose a smaller lr first.`;
}
