import { round, type Spread, spreadOf } from "../tools/spread.ts";
import type { Contestant, Timed } from "./measure.ts";
import { bytesPerElement, countOf, type VariantName, type Work } from "./work.ts";

export interface BenchRecord {
  case: string;
  way: string;
  title: string;
  work: string;
  variant: VariantName;
  state: Work["state"];
  count: number;
  tensors: number;
  rounds: number;
  nsPerElement: Spread;
  microsecondsPerStep: Spread;
  /** Throughput at the bytes a step must move: 20 per element, 8 more for each further buffer; or at the way's own `movedBytes`. */
  gbPerSecond: number;
  /** Its time divided by another's, in the median round. `references` names the others. */
  timesOf: Partial<Record<ReferenceName, number>>;
  /** Nanoseconds of a step beyond those of the plain variant, in the median round. */
  nsMoreThanPlain?: number;
}

/** A measurement that isn't a time per element. */
export interface Figure {
  name: string;
  title: string;
  unit: string;
  value: number;
  low?: number;
  high?: number;
}

/** A figure of several measurements: their median, and the spread. */
export function figureOf(name: string, title: string, unit: string, values: number[]): Figure {
  const { median, low, high } = spreadOf(values);
  return { name, title, unit, value: median, low, high };
}

export interface Goal {
  title: string;
  bound: string;
  /** The worst of its values, and the place where it was found. */
  measured?: string;
  reached: boolean | "not measured";
}

/** A file of `bench/results`. */
export interface Result {
  date: string;
  /** Whether every case ran, at every size, with every way that this machine has. */
  complete: boolean;
  machine: { cpu: string; cores: number; memoryGb: number; os: string; node: string; v8: string };
  versions: Record<string, string>;
  records: BenchRecord[];
  figures: Figure[];
  goals: Goal[];
}

const references = {
  step: (mine: Contestant, { way, work }: Contestant) => work === mine.work && way.name === "step",
  kernel: (mine: Contestant, { way, work }: Contestant) => work === mine.work && way.name === "kernel",
  copy: (mine: Contestant, { way, work }: Contestant) => work === mine.work && way.name === "copy",
  /** The drop-in for the way. */
  dropIn: (mine: Contestant, { way, work }: Contestant) =>
    work === mine.work && way.name === `${mine.way.name}-drop-in`,
  torch: (mine: Contestant, { way, work }: Contestant) => work === mine.work && way.name === "torch",
  step8: (mine: Contestant, { way, work }: Contestant) => work === mine.work && way.name === "step8",
  torch2: (mine: Contestant, { way, work }: Contestant) => work === mine.work && way.name === "torch2",
  pool: (mine: Contestant, { way, work }: Contestant) => work === mine.work && way.name === "pool",
  /** A copy of what was saved or restored. */
  sameBytes: (mine: Contestant, { way, work }: Contestant) =>
    work === mine.work && way.name === `${mine.way.name}-copy`,
  /** The engine's own reader of the file's header. */
  header: (mine: Contestant, { way, work }: Contestant) => work === mine.work && way.name === "header",
  /** The same way, on as many tensors of the same size. */
  plain: (mine: Contestant, { way, work }: Contestant) =>
    way === mine.way &&
    mine.work.variant !== "plain" &&
    work.variant === "plain" &&
    work.tensors === mine.work.tensors &&
    work.size === mine.work.size,
  /** The same way, with momentum, which takes as much memory as `scheduleFree`. */
  momentum: (mine: Contestant, { way, work }: Contestant) =>
    way === mine.way && mine.work.variant === "scheduleFree" && work.variant === "momentum",
  /** The same way at a rate that is given, with bias correction too. */
  biasCorrection: (mine: Contestant, { way, work }: Contestant) =>
    way === mine.way && mine.work.variant === "autoCorrected" && work.variant === "biasCorrection",
  /** The same way, on ordinary values. */
  ordinary: (mine: Contestant, { way, work }: Contestant) =>
    way === mine.way && mine.work.state !== "ordinary" && work.state === "ordinary",
  /** The same way and as many elements, in one tensor. */
  oneTensor: (mine: Contestant, { way, work }: Contestant) =>
    way === mine.way && mine.work.tensors > 1 && work.tensors === 1 && countOf(work) === countOf(mine.work),
};

export type ReferenceName = keyof typeof references;

/** Records of contestants that were timed side by side. */
export function recordsOf(caseName: string, timed: Timed[]): BenchRecord[] {
  return timed.map((mine) => {
    const { way, work, rounds } = mine;
    const count = countOf(work);
    const nsPerElement = spreadOf(rounds.map((ns) => ns / count));
    const find = (name: ReferenceName) =>
      timed.find((candidate) => candidate !== mine && references[name](mine, candidate));
    const timesOf: BenchRecord["timesOf"] = {};
    for (const name of Object.keys(references) as ReferenceName[]) {
      const other = find(name);
      if (other) timesOf[name] = spreadOf(rounds.map((ns, i) => ns / other.rounds[i]!)).median;
    }
    const plain = find("plain");
    return {
      case: caseName,
      way: way.name,
      title: way.title,
      work: work.title,
      variant: work.variant,
      state: work.state,
      count,
      tensors: work.tensors,
      rounds: rounds.length,
      nsPerElement,
      microsecondsPerStep: spreadOf(rounds.map((ns) => ns / 1000)),
      gbPerSecond: round((way.movedBytes ?? bytesPerElement(work)) / nsPerElement.median),
      timesOf,
      ...(plain && { nsMoreThanPlain: spreadOf(rounds.map((ns, i) => ns - plain.rounds[i]!)).median }),
    };
  });
}
