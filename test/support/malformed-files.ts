/** Files that are none, each with the place that its error must name: of another format, or of no optimizer. */
import { deep, HEADERS } from "./malformed-headers.ts";
import { annotated, changed, entry, owned, text, withSteps } from "./saved-file.ts";

export const CASES: typeof HEADERS = [
  ...HEADERS,
  [
    "a hyperparameter twice",
    text((json) => json.replace('w.lr"', 'w.eps"')),
    'The header names "param_groups.w.eps" twice',
  ],
  [
    "an offset twice in metadata",
    annotated("rmsprop-wasm", '{"version":1,"version":1}'),
    'Metadata rmsprop-wasm names "version" twice',
  ],
  [
    "deep metadata",
    annotated("param_groups.w.lr", deep),
    "Metadata param_groups.w.lr is nested more than 127 deep",
  ],
  ["__proto__ for a tensor", text((json) => json.replace('"c":', '"__proto__":')), '"__proto__"'],
  ["constructor for a tensor", text((json) => json.replace('"c":', '"constructor":')), '"constructor"'],
  [
    "a state of __proto__",
    text((json) => json.replace('"state.c.ema":', '"state.__proto__.ema":')),
    '"state.__proto__.ema"',
  ],
  [
    "hyperparameters of __proto__",
    annotated("param_groups.__proto__.lr", "1"),
    "Metadata param_groups.__proto__",
  ],
  ["hyperparameters of nobody", annotated("param_groups.lr", "1"), "Metadata param_groups."],
  [
    "a hyperparameter called __proto__",
    annotated("param_groups.w.__proto__", '{"lr":1}'),
    "Metadata param_groups.w.__proto__: expected one of lr",
  ],
  [
    "an unknown hyperparameter",
    annotated("param_groups.w.beta", "1"),
    "Metadata param_groups.w.beta: expected one of lr",
  ],
  [
    "a hyperparameter less",
    changed((h) => {
      delete h.__metadata__["param_groups.c.eps"];
    }),
    "Metadata param_groups.c.eps is missing",
  ],
  [
    "no hyperparameters",
    changed((h) => {
      h.__metadata__ = { "rmsprop-wasm": h.__metadata__["rmsprop-wasm"] };
    }),
    "Metadata param_groups.w.lr is missing",
  ],
  [
    "hyperparameters that differ in a group",
    annotated("param_groups.b.lr", "0.5"),
    'Metadata param_groups.b: differs from that of "w"',
  ],
  [
    "no JSON for a hyperparameter",
    annotated("param_groups.c.lr", "fast"),
    "Metadata param_groups.c.lr is not JSON",
  ],
  [
    "NaN for a hyperparameter",
    annotated("param_groups.c.lr", "NaN"),
    "Metadata param_groups.c.lr is not JSON",
  ],
  ["null for a rate", annotated("param_groups.c.lr", "null"), "Option lr: got null"],
  [
    "a rate beyond all",
    annotated("param_groups.c.lr", "1e999"),
    "Metadata param_groups.c.lr holds 1e999, which is beyond all numbers",
  ],
  ["a negative rate", annotated("param_groups.c.lr", "-1"), "Option lr: got -1"],
  ["a rate in text", annotated("param_groups.c.lr", '"0.1"'), 'Option lr: got "0.1"'],
  ["an epsilon of 0", annotated("param_groups.c.eps", "0"), "Option eps: got 0"],
  [
    "centered without its average",
    annotated("param_groups.c.centered", "true"),
    '"state.c.grad_avg" is missing',
  ],
  [
    "momentum without a buffer",
    annotated("param_groups.c.momentum", "0.5"),
    '"state.c.momentum_buffer" is missing',
  ],
  ["nesterov without momentum", annotated("param_groups.c.nesterov", "true"), "Option nesterov looks ahead"],
  ["our metadata, not JSON", annotated("rmsprop-wasm", "{"), "Metadata rmsprop-wasm is not JSON"],
  ["our metadata, a list", annotated("rmsprop-wasm", "[]"), "Metadata rmsprop-wasm: it is []"],
  [
    "a newer version",
    owned((own) => ({ ...own, version: 2 })),
    "Metadata rmsprop-wasm: version is 2, expected 1: a newer rmsprop-wasm may read it",
  ],
  ["no version", owned(({ version, ...own }) => own), "version is undefined"],
  ["no groups", owned((own) => ({ ...own, groups: [] })), "groups is []"],
  ["an empty group", owned((own) => ({ ...own, groups: [["w", "b"], [], ["c"]] })), "groups is "],
  ["groups of numbers", owned((own) => ({ ...own, groups: [[1]] })), "groups is [[1]]"],
  ["groups that are text", owned((own) => ({ ...own, groups: "wbc" })), 'groups is "wbc"'],
  ["a flag that is none", owned((own) => ({ ...own, isScheduled: 1 })), "isScheduled is 1"],
  ["options that are none", owned((own) => ({ ...own, options: null })), "options is null"],
  [
    "an option of the process",
    owned((own) => ({ ...own, options: { threads: 64 } })),
    'an option is "threads"',
  ],
  [
    "half a skipped step",
    owned((own) => ({ ...own, skippedSteps: 0.5 })),
    "skippedSteps of the state: got 0.5",
  ],
  [
    "skipped steps in text",
    owned((own) => ({ ...own, skippedSteps: "1" })),
    'skippedSteps of the state: got "1"',
  ],
  ["steps that differ", withSteps(["b"], 4), '"state.b.step" is 4 and "state.w.step" is 3'],
  ["a NaN of steps", withSteps(["w", "b", "c"], NaN), "steps of the state: got NaN"],
  ["half a step", withSteps(["w", "b", "c"], 0.5), "steps of the state: got 0.5"],
  ["negative steps", withSteps(["w", "b", "c"], -1), "steps of the state: got -1"],
  [
    "averages of another shape",
    entry("state.w.square_avg", { shape: [3, 2] }),
    '"state.w.square_avg": shape is [3, 2], expected [2, 3]',
  ],
];
