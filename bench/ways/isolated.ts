import { fileURLToPath } from "node:url";
import type { Way } from "../way.ts";
import { Remote } from "./remote.ts";

/**
 * The same way in a Node process of its own. Once any WebAssembly memory of a process has grown, V8 no longer trusts
 * an ArrayBuffer to stay, and looks at each access whether it's still there: plain loops took 1.15 times as long in
 * this process as alone. `flags` are Node's, and `names` those of the way with them.
 */
export function isolated(
  way: Way,
  flags: string[] = [],
  names: Pick<Way, "name" | "title"> = way,
): { way: Way; close(): void } {
  let remote: Remote | undefined;
  const script = fileURLToPath(new URL("child.ts", import.meta.url));
  return {
    way: {
      ...way,
      name: names.name,
      title: names.title,
      prepare(work) {
        remote ??= new Remote(process.execPath, [...process.execArgv, ...flags, script, way.name]);
        return remote.prepare(work);
      },
    },
    close: () => remote?.close(),
  };
}
