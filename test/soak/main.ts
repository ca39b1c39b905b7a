/**
 * The fuzzers for as long as somebody has time: `npm run soak -- [minutes]`, an hour by default. They take turns of half a
 * minute, each with a seed of its own, which is printed: `SEED=123 npm run soak` runs one turn of each from that seed.
 */
import { fuzzApi } from "./api.ts";
import { fuzzFiles } from "./files.ts";
import { fuzzTwins } from "./twins.ts";

const TURN_SECONDS = 30;
const FUZZERS = { sessions: fuzzApi, twins: fuzzTwins, files: fuzzFiles };

const end = Date.now() + Number(process.argv[2] ?? 60) * 60_000;
const totals = new Map<string, number>();

/** Adds up all counts, however deep they stand. */
function add(counts: object): void {
  for (const [name, count] of Object.entries(counts)) {
    if (typeof count === "number") totals.set(name, (totals.get(name) ?? 0) + count);
    else add(count);
  }
}

do {
  for (const [name, fuzz] of Object.entries(FUZZERS)) {
    const seed = Number(process.env.SEED ?? Date.now() & 0x7fffffff);
    console.log(`${new Date().toISOString()} ${name} from seed ${seed} on`);
    add(await fuzz({ seed, seconds: TURN_SECONDS }));
  }
} while (Date.now() < end && process.env.SEED === undefined);
console.table(Object.fromEntries(totals));
