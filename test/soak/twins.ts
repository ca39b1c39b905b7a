/**
 * A fuzzer of all that the model doesn't have: steps by rows, averages in place of a schedule, learned rates, in float32 and
 * float64. Twins take the same calls, each in its own way: on the other backend, in a memory with marked bytes that others
 * grow, with steps by shares, by attached optimizers, with evaluations in between, restored from a file again and again. They
 * must be refused alike, and then changed by nothing; else they must hold the same bits.
 */
import fc from "fast-check";
import type { Options, StepOptions } from "rmsprop-wasm";
import { load, loadChunks, restore, save, saveChunks } from "rmsprop-wasm/checkpoint";
import { type Content, content, valuesOf } from "./content.ts";
import { expectSame, type Group, nameOf, outcomeOf, type Plan, type Real, Twin } from "./twin.ts";
import { GOOD } from "./values.ts";
import { nameOfError } from "./world.ts";

class Twins {
  readonly all: Twin[] = [];
  #grads: (readonly [string, Float32Array])[] = [];
  /** The content that all of them had when they were compared last. */
  #last: object | undefined;
  isSwapped = false;

  /** Undefined where the constructor refuses the plan, which it must do for all. */
  static open(plan: Plan): Twins | undefined {
    const twins = new Twins(plan);
    const kinds = [
      ["plain", "js"],
      ["marked", "wasm"],
      ["attached", "wasm"],
      ["shares", "js"],
      ["restored", "wasm"],
    ] as const;
    const outcomes = kinds.map(([kind, backend]) =>
      outcomeOf(() => void twins.all.push(new Twin(kind, plan, backend))),
    );
    for (const outcome of outcomes) expectSame("refusals of a plan", outcome, outcomes[0]);
    if (twins.all.length === 0) return undefined;
    twins.check();
    return twins;
  }

  private constructor(readonly plan: Plan) {}

  get names(): string[] {
    return this.plan.groups.flatMap(({ tensors }, g) => tensors.map((_, t) => nameOf(g, t)));
  }

  tensor(name: string): Group["tensors"][number] {
    const [group, tensor] = name.match(/\d+/g)!.map(Number);
    return this.plan.groups[group!]!.tensors[tensor!]!;
  }

  check(): void {
    const [first, ...others] = this.all.map((twin) => twin.look());
    others.forEach((other, i) => {
      expectSame(`${this.all[i + 1]}`, other, first);
    });
    this.#last = first;
    for (const twin of this.all) twin.checkMarks();
  }

  write(content: Content): void {
    this.#grads = this.names.map((name, i) => {
      const { rows, width } = this.tensor(name);
      return [name, valuesOf(rows * width, { ...content, seed: content.seed + i })];
    });
  }

  /** Makes a call on each twin. All must be refused, by the same error, or none; a refusal changes nothing. */
  call(act: (twin: Twin) => unknown): unknown {
    const outcomes = this.all.map((twin) => {
      return outcomeOf(() => act(twin));
    });
    outcomes.forEach((outcome, i) => {
      expectSame(`what ${this.all[i]} says`, outcome, outcomes[0]);
    });
    const before = this.#last;
    this.check();
    if ("name" in (outcomes[0] as object)) expectSame("all after a refusal", this.#last, before);
    return outcomes[0];
  }

  step(options: StepOptions & { shares?: number }, form: number, who: number): void {
    const { shares = 1, ...common } = options;
    const clips = this.plan.options.globalClipNorm !== undefined || this.plan.options.nonFinite !== undefined;
    const clipsEach = this.all[0]!.crew[0]!.groups.some(({ clipNorm }) => clipNorm !== Infinity);
    const isLearned = this.plan.options.lr === "auto";
    this.call((twin) => {
      twin.write(this.#grads, who);
      const rows = common.rows && this.#formOf(common.rows, twin, form);
      const given = { ...common, ...(rows ? { rows } : {}) };
      if (twin.kind !== "shares" || shares === 1 || clips || clipsEach || isLearned)
        return twin.by(who, (one) => one.step(given));
      // The first share tells whether the step is refused.
      for (let i = 0; i < shares; i++) {
        const shard = { index: (i + form) % shares, count: shares };
        twin.by(who, (one) => one.step({ ...given, shard }));
      }
      return true;
    });
    for (const twin of this.all) twin.update(); // rows may be counted from now on
  }

  /** The same rows in one of the forms that lists have. */
  #formOf(rows: NonNullable<StepOptions["rows"]>, twin: Twin, form: number) {
    const formed = Object.entries(rows).map(([name, list]) => {
      const numbers = [...(list as number[])];
      if (twin.kind === "marked") return [name, Uint32Array.from(numbers).reverse()];
      if (twin.kind === "restored" && form % 2 === 1) return [name, [...numbers, ...numbers]];
      return [name, numbers];
    });
    return Object.fromEntries(formed);
  }

  /** Has the one twin go on from a state dict or a file. */
  async restart(form: number): Promise<void> {
    const twin = this.all.find(({ kind }) => kind === "restored")!;
    if (this.isSwapped) return;
    const [old] = twin.crew as [Real];
    const isScheduled = old.groups.some(() =>
      this.plan.groups.some(({ hyper }) => typeof hyper.lr === "function"),
    );
    const type = twin.class as never;
    let next: Real;
    if (isScheduled || form % 4 === 0) {
      next = twin.make();
      for (const [i, group] of old.groups.entries()) if (!isScheduled) next.groups[i]!.lr = group.lr;
      if (form % 8 < 4) next.loadStateDict(structuredClone(old.stateDict()));
      else restore(next, save(old));
    } else if (form % 4 === 1) next = load(save(old), { backend: twin.backend }, type);
    else if (form % 4 === 2) next = await loadChunks(saveChunks(old), { backend: twin.backend }, type);
    else {
      restore(old, save(old));
      return;
    }
    old.dispose();
    twin.crew = [next];
    this.check();
  }

  end(): void {
    for (const twin of this.all) twin.end();
  }
}

const someOf = <Value>(values: readonly Value[]) => fc.constantFrom(...values);
const hyper = fc.record(
  Object.fromEntries(
    Object.entries({
      ...GOOD,
      lr: [0.01, 0.5, 0],
      sparse: ["exact", "exact", "lazy"],
      rowwiseState: [true, false],
    }).map(([name, values]) => [
      name,
      fc.oneof(
        { weight: 3, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: someOf<unknown>(values) },
      ),
    ]),
  ),
);
const tensor = fc.record({
  rows: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 12 }) },
    { weight: 1, arbitrary: fc.constant(300) },
  ),
  width: fc.oneof(fc.integer({ min: 1, max: 9 }), someOf([16, 33])),
  content,
});
const scheduleFree = someOf([true, { beta: 0.75, warmupSteps: 3, r: 1, weightLrPower: 0.5 }, { beta: 1 }]);
const plan: fc.Arbitrary<Plan> = fc.record({
  is64: fc.boolean(),
  groups: fc.array(
    fc.record({ tensors: fc.array(tensor, { minLength: 1, maxLength: 3 }), hyper: strip(hyper) }),
    {
      minLength: 1,
      maxLength: 2,
    },
  ),
  options: fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.record({ globalClipNorm: fc.constant(0.5) }) },
    { weight: 1, arbitrary: fc.record({ nonFinite: someOf(["skip", "throw"] as const) }) },
    { weight: 1, arbitrary: fc.record({ ema: fc.constant({ decay: 0.9 }) }) },
    { weight: 3, arbitrary: fc.record({ scheduleFree }) },
    { weight: 3, arbitrary: fc.record({ lr: fc.constant("auto" as const) }) },
    { weight: 1, arbitrary: fc.record({ lr: fc.constant("auto" as const), scheduleFree }) },
  ) as fc.Arbitrary<Options>,
});

/** Without what wasn't drawn; mostly few options at once, since many don't go together. */
function strip(drawn: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<Options> {
  return drawn.map((given) =>
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
}

/** The rows of each tensor by the bits of a mask: any of them in any order, or undefined for a dense step. */
const rowsOf = fc.option(
  fc.record({
    mask: fc.nat(7),
    lists: fc.array(fc.array(fc.nat(400), { maxLength: 20 }), { minLength: 6, maxLength: 6 }),
  }),
  { nil: undefined, freq: 4 },
);
type Rows = { mask: number; lists: number[][] } | undefined;

const commands = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("write" as const), content }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("step" as const),
      rows: rowsOf,
      isEvery: fc.boolean(),
      isAhead: fc.boolean(),
      form: fc.nat(7),
      who: fc.nat(2),
      times: someOf([1, 1, 1, 2, 70]),
      gradScale: someOf([1, 1, 0.5, -1, 0]),
      zeroGrad: fc.boolean(),
      shares: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("catchUp" as const), rows: rowsOf, who: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: someOf(["eval", "train", "swapEma"] as const), who: fc.constant(0) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("glance" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("restart" as const), form: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("grow" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("report" as const), who: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("assign" as const),
      group: fc.nat(1),
      change: someOf(
        Object.entries({
          ...GOOD,
          lr: [0.01, 0.5, 0],
          sparse: ["exact", "lazy", undefined],
          rowwiseState: [true, false],
        })
          .filter(([name]) => name !== "initialSquareAvg")
          .flatMap(([name, values]) => values.map((value): [string, unknown] => [name, value])),
      ),
    }),
  },
);
type Command = typeof commands extends fc.Arbitrary<infer Value> ? Value : never;

async function run(twins: Twins, command: Command): Promise<void> {
  const listsOf = (rows: Rows, isEvery = false) =>
    rows &&
    Object.fromEntries(
      twins.names
        .filter((_, i) => rows.mask & (1 << i))
        .map((name, i) => {
          const { rows: count } = twins.tensor(name);
          const numbers = isEvery ? Array.from({ length: count }, (_, row) => row) : rows.lists[i % 6]!;
          return [name, numbers.map((row) => row % count)];
        }),
    );
  switch (command.do) {
    case "write":
      return twins.write(command.content);
    case "step": {
      const rows = listsOf(command.rows, command.isEvery);
      const { gradScale, zeroGrad, shares, form, who } = command;
      for (let i = 0; i < command.times; i++) {
        if (rows && command.isAhead) twins.call((twin) => twin.by(who, (one) => one.catchUp(rows)));
        twins.step({ gradScale, zeroGrad, shares, ...(rows ? { rows } : {}) }, form, who);
      }
      return;
    }
    case "catchUp": {
      const rows = listsOf(command.rows);
      twins.call((twin) => twin.by(command.who, (one) => one.catchUp(rows)));
      return;
    }
    case "eval":
    case "train":
    case "swapEma": {
      const outcome = twins.call((twin) => twin.crew[0]![command.do]()) as object;
      const [owner] = twins.all[0]!.crew as [Real];
      if ("result" in outcome) twins.isSwapped = "SwappedError" === nameOfError(() => owner.stateDict());
      return;
    }
    case "glance": // An evaluation of one alone changes nothing.
      if (twins.plan.options.scheduleFree && !twins.isSwapped) {
        const [one] = twins.all.find(({ kind }) => kind === "marked")!.crew as [Real];
        one.eval();
        one.train();
      }
      return twins.check();
    case "restart":
      return twins.restart(command.form);
    case "grow":
      for (const twin of twins.all) twin.grow();
      return twins.check();
    case "report":
      twins.call((twin) => {
        // Views that died are read anew.
        for (const name of twins.names) for (const one of twin.crew) void one.grads[name];
        twin.by(command.who, (one) => one.report());
      });
      return;
    case "assign": {
      const [name, value] = command.change;
      twins.call((twin) => {
        const group = twin.crew[0]!.groups[command.group % twins.plan.groups.length] as unknown as Record<
          string,
          unknown
        >;
        group[name] = value;
      });
      for (const twin of twins.all) twin.attach();
    }
  }
}

/** Fuzzes twins until the time is up. */
export async function fuzzTwins({ seed, seconds }: { seed: number; seconds: number }) {
  let twinSessions = 0;
  const twinCommands: Record<string, number> = {};
  const property = fc.asyncProperty(
    plan,
    fc.array(commands, { maxLength: 30, size: "max" }),
    async (plan, commands) => {
      const twins = Twins.open(plan);
      if (!twins) return;
      twinSessions++;
      twins.write({ form: "ordinary", seed: 1 });
      try {
        for (const command of commands) {
          twinCommands[`twins' ${command.do}`] = (twinCommands[`twins' ${command.do}`] ?? 0) + 1;
          await run(twins, command);
        }
      } finally {
        twins.end();
      }
    },
  );
  await fc.assert(property, {
    seed,
    numRuns: Number.MAX_SAFE_INTEGER,
    plugins: [fc.interruptAfterTimeLimit(1000 * seconds)],
  });
  return { twinSessions, twinCommands };
}
