/** Commands that go to one optimizer: gradients, steps, hyperparameters, reports. */
import fc from "fast-check";
import { command, pick, who } from "./command.ts";
import { type Content, content, valuesOf } from "./content.ts";
import type { Session } from "./session.ts";
import { BAD, BAD_STEPS, GOOD, stepOptions } from "./values.ts";
import { same } from "./world.ts";

function write(session: Session, args: { who: number; mask: number; content: Content }) {
  const member = pick(session.members, args.who);
  const { tensors } = member.model.tensors;
  const chosen = tensors.filter((_, i) => args.mask & (1 << (i % 8)));
  const values = chosen.map(({ plan: { name, count } }, i) => {
    const { form, seed } = args.content;
    return [name, valuesOf(count, { form, seed: seed + i })] as const;
  });
  return session.writeGrads(member, new Map(values));
}

async function step(session: Session, { who, options }: { who: number; options: object }) {
  const member = pick(session.members, who);
  const { model } = member;
  await session.call(
    member,
    {
      refusals: [...session.staleness(member), ...model.refusalsOfStep(options)],
      apply: () => model.step(options),
    },
    (real) => real.step(options),
  );
}

/** Enough steps for whatever happens once in a while. */
async function manySteps(
  session: Session,
  { who, count, options }: { who: number; count: number; options: object },
) {
  for (let i = 0; i < count; i++) await step(session, { who, options });
}

async function shares(
  session: Session,
  { count, from, whos }: { count: number; from: number; whos: number[] },
) {
  for (let i = 0; i < count; i++) {
    await step(session, { who: pick(whos, i), options: { shard: { index: (from + i) % count, count } } });
  }
}

async function badStep(session: Session, { who, options }: { who: number; options: object }) {
  const member = pick(session.members, who);
  await session.call(
    member,
    { refusals: ["OptionError", ...session.staleness(member)], apply() {} },
    (real) => real.step(options),
  );
}

async function ranges(
  session: Session,
  { who, index, count }: { who: number; index: number; count: number },
) {
  const member = pick(session.members, who);
  const { model } = member;
  const shard = { index, count };
  const apply = () =>
    Object.fromEntries(
      model.tensors.groups.flatMap((tensors, i) =>
        tensors.map((tensor) => [tensor.plan.name, model.rangeOf(i, tensor, shard)]),
      ),
    );
  const refusals = index < count ? [] : ["OptionError"];
  await session.call(member, { refusals, apply }, (real) => real.shareRanges(shard));
}

async function assign(session: Session, args: { who: number; group: number; change: [string, unknown] }) {
  const member = pick(session.members, args.who);
  const { model } = member;
  const index = args.group % model.hypers.length;
  const [name, value] = args.change;
  const nexts = model.hypers.map((hyper, i) => (i === index ? { ...hyper, [name]: value } : hyper));
  const isBad =
    !Object.hasOwn(GOOD, name) || BAD.some(([other, bad]) => other === name && Object.is(bad, value));
  const refusals = isBad ? ["OptionError"] : model.refusalsOfChange(nexts);
  await session.call(
    member,
    {
      refusals,
      places: refusals.length === 0 && model.missingFor(nexts).length > 0,
      apply: () => model.change(index, nexts[index]!),
    },
    (real) => {
      (real.groups[index] as unknown as Record<string, unknown>)[name] = value;
    },
  );
}

async function zeroGrad(session: Session, { who }: { who: number }) {
  const member = pick(session.members, who);
  await session.call(member, { refusals: [], apply: () => member.model.zeroGrad() }, (real) =>
    real.zeroGrad(),
  );
}

async function report(session: Session, { who }: { who: number }) {
  const member = pick(session.members, who);
  const refusals = [
    ...(member.model.tensors.isSwapped ? ["SwappedError"] : []),
    ...session.staleness(member),
    ...(member.model.hasLastRates ? [] : ["OptionError"]),
  ];
  const results = await session.call(
    member,
    { refusals, apply: () => member.model.tensors.tensors },
    (real) => real.report(),
    (figures, tensors) => {
      for (const { plan, ...tensor } of tensors as typeof member.model.tensors.tensors) {
        void tensor;
        same("its tensors", Object.hasOwn(figures, plan.name), true);
      }
    },
  );
  if (results) same("reports of both backends", results[1], results[0]);
}

async function swap(session: Session, { who }: { who: number }) {
  const member = pick(session.members, who);
  const refusals = member.model.options.ema ? [] : ["OptionError"];
  await session.call(member, { refusals, apply: () => member.model.swap() }, (real) => real.swapEma());
}

/** Writes to parameters and averages, as callers may between steps. */
async function edit(session: Session, args: { who: number; plane: number; content: Content }) {
  const member = pick(session.members, args.who);
  const { model } = member;
  const tensor = pick(model.tensors.tensors, args.plane);
  const { name, count } = tensor.plan;
  const values = valuesOf(count, args.content);
  const isEma = model.options.ema !== undefined && args.plane % 2 === 1;
  const apply = () => tensor.view(isEma ? "ema" : "param").set(values);
  await session.call(member, { refusals: [], apply }, (real) =>
    (isEma ? real.ema : real.params)[name]!.set(values),
  );
}

const changes = [
  ...Object.entries(GOOD)
    .filter(([name]) => name !== "initialSquareAvg")
    .flatMap(([name, values]) => values.map((value): [string, unknown] => [name, value])),
  ...BAD.map(([name, value]): [string, unknown] => [name, value]),
];

export const CALLS = [
  command(8, write, fc.record({ who, mask: fc.constantFrom(255, 255, 1, 2, 5), content })),
  command(10, step, fc.record({ who, options: stepOptions })),
  command(1, manySteps, fc.record({ who, count: fc.integer({ min: 2, max: 70 }), options: stepOptions })),
  command(
    3,
    shares,
    fc.record({
      count: fc.integer({ min: 1, max: 5 }),
      from: fc.nat(4),
      whos: fc.array(who, { minLength: 1, maxLength: 3 }),
    }),
  ),
  command(1, badStep, fc.record({ who, options: fc.constantFrom(...BAD_STEPS) })),
  command(1, ranges, fc.record({ who, index: fc.nat(3), count: fc.integer({ min: 1, max: 4 }) })),
  command(6, assign, fc.record({ who, group: fc.nat(2), change: fc.constantFrom(...changes) })),
  command(2, zeroGrad, fc.record({ who })),
  command(1, report, fc.record({ who })),
  command(2, swap, fc.record({ who })),
];

export const EDIT = command(1, edit, fc.record({ who, plane: fc.nat(11), content }));
