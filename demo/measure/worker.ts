/** Runs the bench's own measurement, by its own ways, in this browser: each checked first, then all in turn. */
import { measure } from "../../bench/measure.ts";
import { recordsOf } from "../../bench/result.ts";
import type { Way } from "../../bench/way.ts";
import { plain } from "../../bench/ways/javascript.ts";
import { poolOf, step } from "../../bench/ways/ours.ts";
import { sizeTitle } from "../../bench/work.ts";
import { threadCount } from "../page/isolation.ts";
import type { FromMeasurer, Task } from "./messages.ts";
import { openTfjs } from "./tfjs.ts";

const SIZES = [2 ** 14, 2 ** 18, 2 ** 20];
const EFFORT = { rounds: 15, batchMilliseconds: 15, warmUpMilliseconds: 100 };

const tell = (message: FromMeasurer) => postMessage(message);

self.onmessage = async ({ data }: MessageEvent<Task>) => {
  try {
    const ways = data.ways === "own" ? ownWays() : [step, ...(await openTfjs())];
    for (const size of SIZES) {
      const title = sizeTitle(size);
      const work = { title, variant: "plain", tensors: 1, size, state: "ordinary" } as const;
      const contestants = ways.map((way) => ({ way, work }));
      const timed = await measure(contestants, EFFORT, (what) =>
        tell({ tell: "doing", what: `${title}, ${what}` }),
      );
      const checks = Object.fromEntries(
        timed.map(({ way }) => [way.name, way.bitExact ? ("bits" as const) : ("formula" as const)]),
      );
      tell({ tell: "measured", records: recordsOf("sizes", timed), checks });
    }
    tell({ tell: "done" });
  } catch (error) {
    tell({ tell: "failed", why: error instanceof Error ? error.message : String(error) });
  }
};

/** The package's ways and the plain loop, on memories that never grow: growth would make every loop check its arrays. */
function ownWays(): Way[] {
  const threads = threadCount > 1 ? [poolOf(threadCount, `${threadCount} threads`)] : [];
  return [step, ...threads, plain];
}
