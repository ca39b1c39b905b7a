/** The tensors that a caller has in the optimizer's memory already: adopted ones, and initial values. */

import { show } from "../base/show.ts";
import { ParameterError } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { mayBeOf } from "../memory/view.ts";
import type { TensorSpec } from "./params.ts";

/**
 * Finds where the adopted tensors are: inside the memory, apart from each other. Copies initial values that are in the
 * memory, since its growth would empty their views, and an allocator may give their bytes away.
 */
export function place(
  specs: readonly TensorSpec[],
  arena: Arena,
  memory: WebAssembly.Memory | undefined,
): void {
  for (const spec of specs) {
    if (memory && spec.values && mayBeOf(memory, spec.values)) spec.values = spec.values.slice();
  }
  const adopted = specs.filter((spec) => spec.adopted !== undefined);
  if (adopted.length === 0) return;
  if (!memory) {
    throw new ParameterError(
      `Parameter ${show(adopted[0]!.name)} is to be adopted in place: set options.memory.`,
    );
  }
  const ptrs = arena.adopt(
    adopted.flatMap(({ name, count, adopted }) => [
      { name: `param of ${show(name)}`, place: adopted!.param, count },
      { name: `grad of ${show(name)}`, place: adopted!.grad, count },
    ]),
  );
  adopted.forEach((spec, i) => {
    spec.ptrs = { param: ptrs[2 * i]!, grad: ptrs[2 * i + 1]! };
  });
}
