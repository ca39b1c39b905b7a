/** Files through which [main.ts](main.ts) and the processes that judge mutants know of each other. */
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where everything is kept that a run finds: runs beside each other name one each in a variable. */
export const FOLDER = `${root}${process.env.MUTATION_FOLDER ?? "build/mutation/"}`;
/** The sources with all of their mutants, each behind a condition; an object by path. */
export const SOURCES = `${FOLDER}sources.json`;
/** A line per finding, which every process appends to and reads. */
export const LOG = `${FOLDER}log.ndjson`;
/** What a process is at: this and its id. */
export const NOW = `${FOLDER}now-`;
