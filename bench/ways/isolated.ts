import { fileURLToPath } from "node:url";
import type { Way } from "../way.ts";
import { Remote } from "./remote.ts";

/** A way whose work another process does, until it is closed. */
export interface Child {
  way: Way;
  close(): void;
}

/**
 * The same way in a Node process of its own. Once any WebAssembly memory of a process has grown, V8 no longer trusts
 * an ArrayBuffer to stay, and checks at each access that it is still there: plain loops took 1.15 times as long in
 * this process as alone.
 */
export function isolated(way: Way, name = way.name): Child {
  let remote: Remote | undefined;
  const script = fileURLToPath(new URL("child.ts", import.meta.url));
  return {
    way: {
      ...way,
      prepare(work) {
        remote ??= new Remote(process.execPath, [...process.execArgv, script, name]);
        return remote.prepare(work);
      },
    },
    close: () => remote?.close(),
  };
}
