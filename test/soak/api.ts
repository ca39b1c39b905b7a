/** A fuzzer of the whole API: it draws sessions, and runs each beside a model on both backends. */
import fc from "fast-check";
import { counts } from "./command.ts";
import { Session } from "./session.ts";
import { STATES } from "./states.ts";
import { CALLS, EDIT } from "./steps.ts";
import { SURROUNDINGS } from "./surroundings.ts";
import { plan } from "./values.ts";

const COMMANDS = [...CALLS, EDIT, ...STATES, ...SURROUNDINGS].flatMap(({ weight, arbitrary }) =>
  Array.from({ length: weight }, () => arbitrary),
);

export interface ApiCounts {
  sessions: number;
  /** How many commands have run, by their names. */
  commands: Record<string, number>;
}

export interface ApiFuzz {
  readonly seed: number;
  /** Ends the run after so many seconds. */
  readonly seconds: number;
}

/** Fuzzes the API until the time is up. A failure is shrunk; its error shows the session, and the seed and path that lead to it. */
export async function fuzzApi({ seed, seconds }: ApiFuzz): Promise<ApiCounts> {
  counts.clear();
  let sessions = 0;
  const property = fc.asyncProperty(
    plan,
    fc.commands(COMMANDS, { maxCommands: 60, size: "max" }),
    async (plan, commands) => {
      const session = open(plan);
      if (!session) return;
      sessions++;
      try {
        await fc.asyncModelRun(() => ({ model: {}, real: session }), commands);
      } finally {
        session.end();
      }
    },
  );
  await fc.assert(property, {
    seed,
    numRuns: Number.MAX_SAFE_INTEGER,
    plugins: [fc.interruptAfterTimeLimit(1000 * seconds)],
  });
  return { sessions, commands: Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Undefined where the given memory has no room for the tensors. */
function open(plan: ConstructorParameters<typeof Session>[0]): Session | undefined {
  try {
    return new Session(plan);
  } catch (error) {
    if ((error as Error).name === "MemoryError" && plan.kind !== "own" && plan.kind !== "threads")
      return undefined;
    throw error;
  }
}
