/** Commands that save and load: state dicts, and files whole and in pieces. */
import fc from "fast-check";
import type { Optimizer, Params, StateDict } from "rmsprop-wasm";
import { type Loaded, load, loadChunks, restore, save, saveChunks } from "rmsprop-wasm/checkpoint";
import { type Call, command, pick, who } from "./command.ts";
import type { Saved } from "./model.ts";
import type { Kept, Member, Session } from "./session.ts";
import { CALLS } from "./steps.ts";
import { same, type World } from "./world.ts";

/** The errors that refuse to read an optimizer's state. */
function unreadable({ model }: Member): string[] {
  if (model.tensors.isSwapped) return ["SwappedError"];
  return model.hasLastRates ? [] : ["OptionError"];
}

/** A state dict as it is expected: what the model saves. */
function checkDict({ plan }: Session, dict: StateDict, saved: Saved) {
  const { groups, options } = plan;
  same("counts", [dict.steps, dict.skippedSteps], [saved.steps, saved.skippedSteps]);
  same("options", dict.options, { scheduleFree: undefined, lr: undefined, ...options });
  groups.forEach(({ tensors }, i) => {
    const { params, ...hyper } = dict.groups[i]!;
    same(
      "names",
      params,
      tensors.map(({ name }) => name),
    );
    same("hyperparameters", hyper, saved.hypers[i]);
    for (const { name, count, shape } of tensors) {
      const { shape: got, rowSteps, ...planes } = dict.tensors[name]!;
      same("counts of rows", rowSteps, undefined);
      same("shape", got, shape ?? [count]);
      const wanted = saved.planes.get(name)!;
      same(`planes of ${name}`, Object.keys(planes).sort(), Object.keys(wanted).sort());
      for (const [plane, values] of Object.entries(planes)) {
        same(`${name}.${plane}`, canonical(values), canonical(wanted[plane as "param"]!));
      }
    }
  });
}

/** Its elements, any NaN as one. */
const canonical = (values: Float32Array) =>
  Float32Array.from(values, (value) => (Number.isNaN(value) ? NaN : value));

async function keep(session: Session, { who }: { who: number }) {
  const member = pick(session.members, who);
  const { model } = member;
  const forms = await session.call(
    member,
    { refusals: unreadable(member), apply: () => model.save() },
    (real) => real.stateDict(),
    (dict, saved) => checkDict(session, dict, saved as Saved),
  );
  if (forms) session.states.push({ saved: model.save(), forms });
}

/** Loads a state into an optimizer by a call that takes one. */
async function take<Form>(
  session: Session,
  member: Member,
  { saved, forms }: Kept<Form>,
  act: (real: Optimizer<Params>, form: Form, world: World) => void,
  others: readonly string[] = [],
) {
  const { model } = member;
  const nexts = model.nextsOf(saved);
  const refusals = model.tensors.isSwapped ? ["SwappedError"] : [...model.refusalsOfChange(nexts), ...others];
  await session.call(
    member,
    {
      refusals,
      places: refusals.length === 0 && model.missingFor(nexts).length > 0,
      apply: () => model.load(saved),
    },
    (real, world, i) => act(real, forms[i]!, world),
  );
}

async function loadState(session: Session, args: { who: number; which: number; steps: number | undefined }) {
  if (session.states.length === 0) return;
  const { saved, forms } = pick(session.states, args.which);
  const steps = args.steps ?? saved.steps;
  const state = { saved: { ...saved, steps }, forms: forms.map((dict) => ({ ...dict, steps })) };
  await take(session, pick(session.members, args.who), state, (real, dict) => real.loadStateDict(dict));
}

/** Loads views of the optimizer's own, each tensor's from the next one of its length, with momentum that needs room. */
async function loadViews(session: Session, args: { who: number; momentum: number }) {
  const member = pick(session.members, args.who);
  const { model } = member;
  if (model.isDisposed || unreadable(member).length > 0) return;
  const { tensors } = model.tensors;
  const saved = model.save();
  const before = model.save();
  const sources = tensors.map((tensor, i) => {
    const others = [...tensors.slice(i + 1), ...tensors.slice(0, i + 1)];
    return others.find(({ plan }) => plan.count === tensor.plan.count)!.plan.name;
  });
  saved.hypers.forEach((hyper) => {
    if (hyper.momentum === 0) hyper.momentum = args.momentum;
  });
  const forms = session.worlds.map((_, w): StateDict => {
    const real = member.reals[w]!;
    const dict = real.stateDict();
    const views = tensors.map(({ plan: { name, count } }, i) => {
      const planes = Object.entries({ ...dict.tensors[name]!, momentumBuffer: new Float32Array(count) });
      const wanted = planes.filter(([plane]) => plane !== "momentumBuffer" || pickHyper(i).momentum > 0);
      return [name, Object.fromEntries([...wanted, ["param", real.params[sources[i]!]]])];
    });
    return {
      ...dict,
      groups: dict.groups.map((group, g) => ({ ...group, ...saved.hypers[g] })),
      tensors: Object.fromEntries(views),
    };
  });
  function pickHyper(tensor: number) {
    const group = model.tensors.groups.findIndex((group) => group.includes(tensors[tensor]!));
    return saved.hypers[group]!;
  }
  tensors.forEach(({ plan: { name, count } }, i) => {
    const planes = saved.planes.get(name)!;
    planes.param = before.planes.get(sources[i]!)!.param!.slice();
    if (pickHyper(i).momentum > 0) planes.momentumBuffer = new Float32Array(count);
  });
  await take(session, member, { saved, forms }, (real, dict) => real.loadStateDict(dict));
}

const SPOILS: readonly ((dict: StateDict) => unknown)[] = [
  () => undefined,
  (dict) => ({ ...dict, version: 2 }),
  (dict) => ({ ...dict, steps: -1 }),
  (dict) => ({ ...dict, skippedSteps: 0.5 }),
  (dict) => ({ ...dict, groups: [...dict.groups, dict.groups[0]] }),
  (dict) => ({ ...dict, groups: dict.groups.map((group) => ({ ...group, eps: 0 })) }),
  (dict) => ({ ...dict, groups: dict.groups.map((group) => ({ ...group, params: ["other"] })) }),
  (dict) => ({ ...dict, tensors: {} }),
  (dict) => ({
    ...dict,
    tensors: Object.fromEntries(
      Object.entries(dict.tensors).map(([name, state]) => [
        name,
        { ...state, squareAvg: new Float32Array(3) },
      ]),
    ),
  }),
];

async function badState(session: Session, args: { who: number; which: number; spoil: number }) {
  const kept = session.states.length > 0 ? pick(session.states, args.which) : undefined;
  if (!kept || session.plan.groups.some(({ tensors }) => tensors.every(({ count }) => count === 3))) return;
  const member = pick(session.members, args.who);
  const spoil = pick(SPOILS, args.spoil);
  await session.call(
    member,
    { refusals: ["CheckpointError", "OptionError", "SwappedError"], apply() {} },
    (real, _, i) => real.loadStateDict(spoil(kept.forms[i]!) as StateDict),
  );
}

async function saveFile(session: Session, { who }: { who: number }) {
  const member = pick(session.members, who);
  const { model } = member;
  const forms = await session.call(
    member,
    { refusals: unreadable(member), apply: () => undefined },
    (real) => save(real),
    () => {},
  );
  if (!forms) return;
  const saved = model.save();
  if (!hasNaN(saved)) same("the backends' files", Buffer.compare(forms[0]!, forms[1]!), 0);
  session.files.push({ saved, forms, isScheduled: model.attachNeedsRate });
}

/** Which NaN an operation gives is left open to engines. */
function hasNaN({ planes }: Saved): boolean {
  return [...planes.values()].some((all) => Object.values(all).some((values) => values.some(Number.isNaN)));
}

async function restoreFile(session: Session, args: { who: number; which: number; isInside: boolean }) {
  if (session.files.length === 0) return;
  const file = pick(session.files, args.which);
  const forms = args.isInside
    ? session.worlds.map((world, i) => world.placeFile(file.forms[i]!))
    : file.forms;
  const member = pick(session.members, args.who);
  // It reads the optimizer's own groups, whose schedules must still give a rate.
  await take(
    session,
    member,
    { ...file, forms },
    (real, bytes) => restore(real, bytes),
    member.model.hasLastRates ? [] : ["OptionError"],
  );
}

async function badFile(session: Session, args: { who: number; which: number; cut: number; flip: boolean }) {
  if (session.files.length === 0) return;
  const { forms } = pick(session.files, args.which);
  const spoil = (bytes: Uint8Array) => {
    if (!args.flip) return bytes.subarray(0, args.cut % bytes.length);
    const spoilt = bytes.slice();
    spoilt[args.cut % 8] = 0xff; // in the header's length
    return spoilt;
  };
  await session.call(
    pick(session.members, args.who),
    { refusals: ["CheckpointError", "OptionError", "SwappedError"], apply() {} },
    (real, _, i) => restore(real, spoil(forms[i]!)),
  );
}

/** The pieces of a file, by a reader that uses one buffer for all of them. */
async function* pieces(bytes: Uint8Array, sizes: readonly number[]) {
  const buffer = new Uint8Array(Math.max(...sizes));
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const piece = bytes.subarray(at, at + pick(sizes, i));
    at += piece.length;
    buffer.set(piece);
    yield buffer.subarray(0, piece.length);
    buffer.fill(0xee);
  }
}

async function loadNew(session: Session, args: { which: number; sizes: number[]; lr: number | undefined }) {
  if (session.files.length === 0) return;
  const { saved, forms, isScheduled } = pick(session.files, args.which);
  const isWhole = args.sizes.length === 0;
  for (const [i, { backend }] of session.worlds.entries()) {
    const bytes = forms[i]!;
    const options = { backend, ...(args.lr === undefined ? {} : { lr: args.lr }) };
    let loaded: Loaded<string>;
    try {
      loaded = isWhole ? load(bytes, options) : await loadChunks(pieces(bytes, args.sizes), options);
    } catch (error) {
      const isForeseen = isScheduled && args.lr === undefined && (error as Error).name === "OptionError";
      if (!isForeseen) throw error;
      continue;
    }
    const hypers = saved.hypers.map((hyper) => ({ ...hyper, lr: args.lr ?? hyper.lr }));
    checkDict(session, loaded.stateDict(), { ...saved, hypers });
    if (args.lr === undefined) same("the file again", Buffer.compare(save(loaded), bytes), 0);
    loaded.dispose();
  }
  session.check();
}

/** Writes a file in pieces, with another command in between. */
async function saveInPieces(session: Session, args: { who: number; between: Call<unknown> }) {
  const member = pick(session.members, args.who);
  const { model } = member;
  if (model.isDisposed || unreadable(member).length > 0) return;
  const whole = member.reals.map((real) => save(real));
  const generators = member.reals.map((real) => saveChunks(real));
  const firsts = generators.map((chunks) => chunks.next().value as Uint8Array);
  const before = [model.tensors.changes, session.generation];
  await args.between.perform(session, args.between.args);
  if (model.isDisposed) return;
  const hasChanged = model.tensors.changes !== before[0] || session.generation !== before[1];
  generators.forEach((chunks, i) => {
    let rest: Uint8Array[];
    try {
      rest = [...chunks];
    } catch (error) {
      if (hasChanged && (error as Error).name === "CheckpointError") return;
      throw error;
    }
    if (hasChanged) throw new Error("A file in pieces is a mixture");
    same("a file in pieces", Buffer.compare(Buffer.concat([firsts[i]!, ...rest]), whole[i]!), 0);
  });
}

const which = fc.nat(7);

export const STATES = [
  command(3, keep, fc.record({ who })),
  command(
    3,
    loadState,
    fc.record({ who, which, steps: fc.constantFrom(undefined, undefined, 0, 2 ** 31 - 3) }),
  ),
  command(2, loadViews, fc.record({ who, momentum: fc.constantFrom(0, 0.9) })),
  command(1, badState, fc.record({ who, which, spoil: fc.nat(SPOILS.length - 1) })),
  command(3, saveFile, fc.record({ who })),
  command(3, restoreFile, fc.record({ who, which, isInside: fc.boolean() })),
  command(1, badFile, fc.record({ who, which, cut: fc.nat(100_000), flip: fc.boolean() })),
  command(
    2,
    loadNew,
    fc.record({
      which,
      sizes: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 3 }),
      lr: fc.constantFrom(undefined, 0.25),
    }),
  ),
  command(2, saveInPieces, fc.record({ who, between: fc.oneof(...CALLS.map(({ arbitrary }) => arbitrary)) })),
];
