import type { BenchRecord, Figure, Goal, ReferenceName } from "./result.ts";

interface Value {
  value: number;
  where: string;
}

interface Wanted {
  title: string;
  atLeast?: number;
  atMost?: number;
  unit: string;
  values(records: BenchRecord[], figures: Figure[]): Value[];
}

/** What the project promises itself. Each is a ratio within one run, or doesn't depend on the machine much. */
const goals: Wanted[] = [
  {
    title: "step() against the best plain JavaScript loop, 4 k to 1 M elements",
    atLeast: 6,
    unit: "×",
    values: bySize("plain", "step", 2 ** 12, 2 ** 20),
  },
  {
    title: "step() against the best plain JavaScript loop, 16 M elements",
    atLeast: 5,
    unit: "×",
    values: bySize("plain", "step", 2 ** 24, 2 ** 24),
  },
  {
    title: "step() against tf.js wasm, 1 k elements",
    atLeast: 100,
    unit: "×",
    values: bySize("tfjs-wasm", "step", 2 ** 10, 2 ** 10),
  },
  {
    title: "step() against tf.js wasm, 256 k elements and more",
    atLeast: 9,
    unit: "×",
    values: bySize("tfjs-wasm", "step", 2 ** 18, Infinity),
  },
  {
    title: "step() against tf.js cpu, every size",
    atLeast: 200,
    unit: "×",
    values: bySize("tfjs-cpu", "step", 0, Infinity),
  },
  {
    title: "one tensor of 1 M: time of step() by that of the bare kernel",
    atMost: 1.03,
    unit: "×",
    values: bySize("step", "kernel", 2 ** 20, 2 ** 20),
  },
  {
    title: "a thousand tensors of 100: time of step() by that of one of 100,000",
    atMost: 1.2,
    unit: "×",
    values: (records) => ratios(records, "tensors", "step", "oneTensor"),
  },
  {
    title: "a 16-element model, whole step()",
    atMost: 0.2,
    unit: " µs",
    values: (records) =>
      records
        .filter((record) => record.case === "small" && record.way === "step")
        .map((record) => ({ value: record.microsecondsPerStep.median, where: record.work })),
  },
  {
    title: "zero gradients and v denormal, a thousand steps: by the time of ordinary values",
    atMost: 1.15,
    unit: "×",
    values: (records) => ratios(records, "denormal", "step", "ordinary"),
  },
  {
    title: "the first of those steps alone, which meets the denormals",
    atMost: 1.15,
    unit: "×",
    values: (records) => ratios(records, "first-denormal", "step", "ordinary"),
  },
  // One pointer kept at each step would show as 8; what the engine learns meanwhile shows as hundredths.
  { title: "JavaScript heap kept, per step", atMost: 0.5, unit: " bytes", values: figure("heapPerStep") },
  { title: "the binary", atMost: 8, unit: " kB", values: figure("binary") },
  { title: "main entry, minified and gzipped", atMost: 12, unit: " kB", values: figure("entry") },
  {
    title: "import to first step, beyond starting Node",
    atMost: 5,
    unit: " ms",
    values: figure("firstStep"),
  },
];

export function judge(records: BenchRecord[], figures: Figure[]): Goal[] {
  return goals.map(({ title, atLeast, atMost, unit, values }) => {
    const isLeast = atLeast !== undefined;
    const limit = isLeast ? atLeast : atMost!;
    const bound = `at ${isLeast ? "least" : "most"} ${limit}${unit}`;
    const [worst] = values(records, figures).sort((a, b) =>
      isLeast ? a.value - b.value : b.value - a.value,
    );
    if (!worst) return { title, bound, reached: "not measured" };
    return {
      title,
      bound,
      measured: `${Number(worst.value.toPrecision(3))}${unit}${worst.where && ` (${worst.where})`}`,
      reached: isLeast ? worst.value >= limit : worst.value <= limit,
    };
  });
}

function bySize(way: string, reference: ReferenceName, from: number, to: number): Wanted["values"] {
  return (records) =>
    ratios(
      records.filter(({ count }) => count >= from && count <= to),
      "sizes",
      way,
      reference,
    );
}

function ratios(records: BenchRecord[], caseName: string, way: string, reference: ReferenceName): Value[] {
  return records
    .filter((record) => record.case === caseName && record.way === way)
    .flatMap(({ timesOf, work }) => {
      const value = timesOf[reference];
      return value === undefined ? [] : [{ value, where: work }];
    });
}

function figure(name: string): Wanted["values"] {
  return (_records, figures) =>
    figures.filter((one) => one.name === name).map(({ value }) => ({ value, where: "" }));
}
