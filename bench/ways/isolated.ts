import { fileURLToPath } from "node:url";
import type { Way } from "../way.ts";
import { Remote } from "./remote.ts";

/** A way whose work another process does, until it is closed. */
export interface Child {
  way: Way;
  close(): void;
}

interface Isolation {
  load?: string;
  flags?: string[];
  names?: Pick<Way, "name" | "title">;
}

/**
 * The same way in a Node process of its own. Once any WebAssembly memory of a process has grown, V8 no longer trusts
 * an ArrayBuffer to stay, and checks at each access that it is still there: plain loops took 1.15 times as long in
 * this process as alone.
 *
 * @param options.load The name by which that process finds the way.
 * @param options.flags Added to Node's.
 * @param options.names Those of the way with these flags.
 */
export function isolated(way: Way, { load = way.name, flags = [], names = way }: Isolation = {}): Child {
  let remote: Remote | undefined;
  const script = fileURLToPath(new URL("child.ts", import.meta.url));
  return {
    way: {
      ...way,
      name: names.name,
      title: names.title,
      prepare(work) {
        remote ??= new Remote(process.execPath, [...process.execArgv, ...flags, script, load]);
        return remote.prepare(work);
      },
    },
    close: () => remote?.close(),
  };
}
