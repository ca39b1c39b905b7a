/** The texts of options' errors, to the letter: the value that was given, however large it is, and what is known instead. */
import { RMSprop } from "rmsprop-wasm";
import { expect, it } from "vitest";

// biome-ignore lint/suspicious/noExplicitAny: wrong options are what this file is about
type Bad = any;

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("It was taken");
}

const zeros = Array(16).fill(0);

it.each<[value: unknown, shown: string]>([
  [() => 1, "a function"],
  [7n, "7n"],
  [[-0, 0, "0"], '[-0, 0, "0"]'],
  [[[[[1]]]], "[[[[1]]]]"],
  [[[[[[1]]]]], "[[[[…]]]]"],
  [{ a: { b: [{ c: [] }] } }, "{ a: { b: [{ c: … }] } }"],
  [zeros, `[${zeros.join(", ")}]`],
  [[...zeros, 0], `[${zeros.join(", ")}, … 17 in all]`],
  ["x".repeat(238), `"${"x".repeat(238)}"`],
  ["x".repeat(240), `"${"x".repeat(167)} … ${"x".repeat(47)}"`],
  [`${"x".repeat(200)}${"y".repeat(100)}`, `"${"x".repeat(168)} … ${"y".repeat(48)}"`],
  [Object.create(null), "{ }"],
  [Object.create(Object.create(Object.create(null))), "an object"],
  [new Map(), "a Map"],
  [new ArrayBuffer(1), "an ArrayBuffer"],
])("shows %o as %s", (value, shown) => {
  expect(messageOf(() => new RMSprop({ w: [1] }, { momentum: value as Bad }))).toBe(
    `Option momentum: got ${shown}, expected a number from 0 to 1 (default 0).`,
  );
});

it.each<[options: unknown, message: string]>([
  [0.5, "options: got 0.5, expected an object such as { lr: 1e-3 }."],
  [null, "options: got null, expected an object such as { lr: 1e-3 }."],
  [
    new Map(),
    "options: got a Map, expected an object such as { lr: 1e-3 }, a plain one as { ...object } makes.",
  ],
  [{ backend: "gpu" }, 'Option backend: got "gpu", expected "wasm" or "js".'],
  [{ sparse: "no" }, 'Option sparse: got "no", expected "exact" or "lazy".'],
])("says what options may be: %o", (options, message) => {
  expect(messageOf(() => new RMSprop({ w: [1] }, options as Bad))).toBe(message);
});

it("asks for the nearest option, also for a name that is longer than that by half", () => {
  const make = () => new RMSprop({ w: [1] }, { momentumDecay: 0.9 } as Bad);
  expect(messageOf(make)).toMatch(/^Unknown option "momentumDecay": did you mean "momentum"\? Known are /);
});

it("names no option for another's synonym where that option isn't known", () => {
  const step = () => new RMSprop({ w: [1] }).step({ learningRate: 1 } as Bad);
  expect(messageOf(step)).toBe(
    'Unknown option "learningRate". Known are gradScale, zeroGrad, shard, gradNorm, rows.',
  );
});

it("takes back a default that is none of the values", () => {
  const { groups } = new RMSprop({ w: [2, 2] }, { sparse: "lazy" });
  groups[0].sparse = undefined;
  expect(groups[0].sparse).toBeUndefined();
});
