/** Files through which [main.ts](main.ts) and the processes that judge mutants know of each other. */
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** The folder of all that a run finds: runs beside each other name one each in a variable. */
export const FOLDER = `${root}${process.env.MUTATION_FOLDER ?? "build/mutation/"}`;
/** The sources with all of their mutants, each behind a condition; an object by path. */
export const SOURCES = `${FOLDER}sources.json`;
/** A line per finding, which every process appends to and reads. */
export const LOG = `${FOLDER}log.ndjson`;
/** The beginning of the names of files in which processes tell what they are at; their ids follow. */
export const NOW = `${FOLDER}now-`;
