/** The text that logs and consoles show of an optimizer. */

import { show } from "../base/show.ts";
import { DEFAULTS, type Hyperparameters } from "../options/hyperparameters.ts";
import type { Parts } from "./parts.ts";

/** The most tensors that it lists. */
const MAX_TENSORS = 20;
const ALWAYS = ["lr", "alpha", "eps"];

/** Gives backend, steps, and by group the hyperparameters that differ from the defaults, and tensors with their shapes. */
export function textOf(parts: Parts | undefined): string {
  if (!parts) return "RMSprop (disposed of)";
  const { kernel, progress, groups, tensors } = parts;
  const lines = [`RMSprop (${kernel.backend}, ${progress.steps} steps)`];
  let left = MAX_TENSORS;
  for (const { hyperparameters, tensors } of groups) {
    if (left <= 0) break;
    lines.push(`  ${settingsOf(hyperparameters)}`);
    for (const { name, shape, count } of tensors.slice(0, left)) {
      lines.push(`    ${show(name)}: ${show(shape ?? [count])}`);
    }
    left -= tensors.length;
  }
  if (left < 0) lines.push(`    … ${tensors.size} tensors in all`);
  return lines.join("\n");
}

function settingsOf(hyperparameters: Hyperparameters): string {
  return Object.entries(hyperparameters)
    .filter(([name, value]) => ALWAYS.includes(name) || value !== DEFAULTS[name as "lr"])
    .map(([name, value]) => `${name} ${show(value)}`)
    .join(", ");
}
