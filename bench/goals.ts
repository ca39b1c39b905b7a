import { WEIGHT_LIMITS } from "../tools/weight-limits.ts";
import type { BenchRecord, Figure, Goal, ReferenceName } from "./result.ts";
import { sizeTitle, type VariantName } from "./work.ts";

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

/** The project's promises to itself. Each is a ratio within one run, or depends little on the machine. */
const goals: Wanted[] = [
  {
    title: "step() against a JavaScript loop with two elements a division, 4 k to 1 M elements",
    atLeast: 6,
    unit: "×",
    values: bySize("plain", "step", 2 ** 12, 2 ** 20),
  },
  {
    title: "step() against a JavaScript loop with two elements a division, 16 M elements",
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
    title: "the drop-in against tf.train.rmsprop, wasm backend, 1 k elements",
    atLeast: 50,
    unit: "×",
    values: ratios("tfjs-wasm", "dropIn", { case: "drop-in", to: 2 ** 10 }),
  },
  {
    title: "the drop-in against tf.train.rmsprop, wasm backend, 256 k elements and more",
    atLeast: 8,
    unit: "×",
    values: ratios("tfjs-wasm", "dropIn", { case: "drop-in", from: 2 ** 18 }),
  },
  {
    title: "the drop-in against tf.train.rmsprop, wasm backend, 60 variables of 100",
    atLeast: 30,
    unit: "×",
    values: ratios("tfjs-wasm", "dropIn", { case: "drop-in-model" }),
  },
  {
    title: "the drop-in against tf.train.rmsprop, cpu backend, 16 k elements and more",
    atLeast: 30,
    unit: "×",
    values: ratios("tfjs-cpu", "dropIn", { case: "drop-in", from: 2 ** 14 }),
  },
  {
    title: "over float64, step() against the same loop in JavaScript, 4 k to 1 M elements",
    atLeast: 2,
    unit: "×",
    values: ratios("simple", "step", { case: "float64", from: 2 ** 12, to: 2 ** 20 }),
  },
  {
    title: "over float64, step() against PyTorch on one thread, every size",
    atLeast: 1.3,
    unit: "×",
    values: ratios("torch", "step", { case: "float64" }),
  },
  {
    title: "over float64, step() with the flag for eight lanes against step() without, 4 k to 256 k elements",
    atLeast: 1.6,
    unit: "×",
    values: ratios("step", "step8", { case: "float64", from: 2 ** 12, to: 2 ** 18 }),
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
    values: ratios("step", "oneTensor", { case: "tensors" }),
  },
  {
    title: "a 16-element model, whole step()",
    atMost: 0.2,
    unit: " µs",
    values: (records) =>
      recordsAt(records, "step", { case: "small" }).flatMap((record) =>
        located(record, record.microsecondsPerStep.median),
      ),
  },
  {
    title:
      "coupled decay, global norm, average and cleared gradients, 128 k elements and more: by a plain step()",
    atMost: 1.8,
    unit: "×",
    values: ratios("step", "plain", { case: "all-on", from: 2 ** 17 }),
  },
  {
    title: "those four by PyTorch's time for them, 16 k elements and more",
    atMost: 0.6,
    unit: "×",
    values: ratios("step", "torch", { case: "all-on", variant: "allOn" }),
  },
  {
    title: "averages in place of a schedule by momentum, 64 k to 1 M elements",
    atMost: 1.1,
    unit: "×",
    values: ratios("step", "momentum", { case: "no-tuning" }),
  },
  {
    title: "a rate that finds itself by a given one, bias correction in both, 64 k to 1 M elements",
    atMost: 1.6,
    unit: "×",
    values: ratios("step", "biasCorrection", { case: "no-tuning" }),
  },
  {
    title: "a rate that finds itself by a given one, 64 k to 1 M elements",
    atMost: 1.6,
    unit: "×",
    values: ratios("step", "plain", { case: "no-tuning", variant: "auto" }),
  },
  {
    title: "a scheduled learning rate by a constant one, 1 M elements",
    atMost: 1.03,
    unit: "×",
    values: ratios("step", "plain", { case: "scheduled", from: 2 ** 20 }),
  },
  {
    title: "what a scheduled learning rate adds to a step of 1 k elements",
    atMost: 200,
    unit: " ns",
    values: (records) =>
      recordsAt(records, "step", { case: "scheduled", to: 2 ** 10 }).flatMap((record) =>
        located(record, record.nsMoreThanPlain),
      ),
  },
  {
    title: "after zero gradients for 100,000 steps, every variant: by the time of ordinary values",
    atMost: 1.1,
    unit: "×",
    values: ratios("step", "ordinary", { case: "zero-gradients" }),
  },
  {
    title: "two threads against one, 64 k to 4 M elements",
    atLeast: 1.7,
    unit: "×",
    values: ratios("step", "pool", { case: "threads", from: 2 ** 16, to: 2 ** 22 }),
  },
  {
    title: "two threads against one, any size",
    atLeast: 0.95,
    unit: "×",
    values: ratios("step", "pool", { case: "threads" }),
  },
  {
    title: "two threads, 16 M elements: speed by that of the same streams with no arithmetic",
    atLeast: 0.9,
    unit: "×",
    values: ratios("streams2", "pool", { case: "threads", from: 2 ** 24 }),
  },
  {
    title: "two threads against PyTorch with two threads, every size",
    atLeast: 1.5,
    unit: "×",
    values: ratios("torch2", "pool", { case: "threads" }),
  },
  {
    title: "an idle pool: processor time over ten seconds",
    atMost: 5,
    unit: " ms",
    values: figure("idlePool"),
  },
  {
    title: "saving and restoring 16 M elements with momentum: by the time of a copy of the same bytes",
    atMost: 2,
    unit: "×",
    values: (...all) =>
      ["save", "restore"].flatMap((way) =>
        ratios(way, "sameBytes", { case: "checkpoint", from: 2 ** 24 })(...all),
      ),
  },
  {
    title: "loading, restoring and saving 2,000 tensors and 32,000: by the time of JSON.parse of the header",
    atMost: 5,
    unit: "×",
    values: (...all) =>
      ["load", "restore", "save"].flatMap((way) => ratios(way, "header", { case: "many-tensors" })(...all)),
  },
  {
    title: "1,000 of 100,000 rows of 64, lazily, against a dense step",
    atLeast: 40,
    unit: "×",
    values: figure("lazyRows"),
  },
  {
    title: "1,000 of 100,000 rows of 64, exactly, against a dense step",
    atLeast: 30,
    unit: "×",
    values: figure("exactRows"),
  },
  {
    title: "a row of 64 by the same row in a dense step",
    atMost: 1.5,
    unit: "×",
    values: figure("rowByDense"),
  },
  { title: "1,000 of 100,000 rows of 8, each", atMost: 60, unit: " ns", values: figure("narrowRow") },
  // One pointer kept at each step would show as 8; the engine's own growth shows as hundredths.
  { title: "JavaScript heap kept, per step", atMost: 0.5, unit: " bytes", values: figure("heapPerStep") },
  { title: "the binary", atMost: 8, unit: " kB", values: figure("binary") },
  {
    title: "main entry, minified and gzipped",
    atMost: WEIGHT_LIMITS["rmsprop-wasm"] / 1000,
    unit: " kB",
    values: figure("entry"),
  },
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

/** The records of a case, and if need be of one variant and of some counts of elements. */
interface Place {
  case: string;
  variant?: VariantName;
  from?: number;
  to?: number;
}

function recordsAt(records: BenchRecord[], way: string, place: Place): BenchRecord[] {
  const { case: name, variant, from = 0, to = Infinity } = place;
  return records.filter(
    (record) =>
      record.case === name &&
      record.way === way &&
      (variant === undefined || record.variant === variant) &&
      record.count >= from &&
      record.count <= to,
  );
}

function ratios(way: string, reference: ReferenceName, place: Place): Wanted["values"] {
  return (records) =>
    recordsAt(records, way, place).flatMap((record) => located(record, record.timesOf[reference]));
}

function bySize(way: string, reference: ReferenceName, from: number, to: number): Wanted["values"] {
  return ratios(way, reference, { case: "sizes", from, to });
}

function located({ work, count }: BenchRecord, value: number | undefined): Value[] {
  const size = sizeTitle(count);
  return value === undefined ? [] : [{ value, where: work === size ? work : `${work}, ${size}` }];
}

function figure(name: string): Wanted["values"] {
  return (_records, figures) =>
    figures.filter((one) => one.name === name).map(({ value }) => ({ value, where: "" }));
}
