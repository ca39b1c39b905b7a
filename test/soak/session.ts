/**
 * A session: the model of some optimizers on the same tensors, and two backends beside it. Each call goes to all three; it
 * must give the same, or be refused by an error that the model foresees, and then everything must be as it was.
 */
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { RMSpropError, type StateDict } from "rmsprop-wasm";
import type { Handle } from "../../src/optimizer/handle.ts";
import type { Hyperparameters } from "../../src/options/hyperparameters.ts";
import { ModelOptimizer, type Saved } from "./model.ts";
import { type Plan, type Real, same, World } from "./world.ts";

/** One optimizer: its model, and the real one of each backend. */
export interface Member {
  readonly model: ModelOptimizer;
  readonly reals: readonly Real[];
  /** The generation of the views of gradients that were read last, by name. */
  readonly readGrads: Map<string, number>;
}

/** A file or state that was saved: the model's, and each backend's. */
export interface Kept<Form> {
  readonly saved: Saved;
  readonly forms: readonly Form[];
}

interface Expected<Result> {
  /** The names of the errors that may refuse the call. */
  refusals: readonly string[];
  /** Whether it may place state: the memory may grow, or have no room. */
  places?: boolean;
  apply(): Result;
}

export class Session {
  readonly worlds: readonly World[];
  readonly members: Member[];
  readonly states: Kept<StateDict>[] = [];
  /** With whether some rate was a schedule. */
  readonly files: (Kept<Uint8Array> & { isScheduled: boolean })[] = [];

  constructor(readonly plan: Plan) {
    this.worlds = (["wasm", "js"] as const).map(
      (backend) => new World(backend, plan, plan.groups.length % 2 === 0),
    );
    const model = ModelOptimizer.make(plan.groups, plan.options);
    const first: Member = { model, reals: this.worlds.map(({ first }) => first), readGrads: new Map() };
    this.members = [first];
    if (plan.areViews) for (const name of this.worlds[1]!.grads.keys()) first.readGrads.set(name, 0);
    this.check();
  }

  get generation(): number {
    const [first, ...others] = this.worlds.map(({ generation }) => generation);
    for (const other of others) same("growths", other, first);
    return first!;
  }

  /** The errors that any call on this optimizer may be refused by: after its end, that alone. */
  common({ model }: Member): string[] {
    return model.isDisposed ? ["DisposedError"] : [];
  }

  /** Those of a call that goes by the gradients that were written. */
  staleness({ readGrads }: Member): string[] {
    const { generation } = this;
    return [...readGrads.values()].some((read) => read < generation) ? ["StaleViewError"] : [];
  }

  /** Makes a call on each backend and, unless it is refused, on the model; gives what the backends gave. */
  async call<Result>(
    member: Member,
    { refusals, places = false, apply }: Expected<unknown>,
    act: (real: Real, world: World, index: number) => Result | Promise<Result>,
    compare: (real: Result, model: unknown, world: World) => void = (real, model) =>
      same("the result", real, model),
  ): Promise<Result[] | undefined> {
    const all = [...this.common(member), ...refusals];
    const outcomes: ({ result: Result } | { error: unknown })[] = [];
    for (const [i, world] of this.worlds.entries()) {
      const before = world.memory.buffer;
      try {
        outcomes.push({ result: await act(member.reals[i]!, world, i) });
      } catch (error) {
        outcomes.push({ error });
      }
      const isRefused = "error" in outcomes.at(-1)!;
      if (world.memory.buffer !== before && (isRefused || !places)) {
        throw new Error(
          `${world.backend}: the memory grew by a call that ${isRefused ? "failed" : "places nothing"}`,
        );
      }
      world.noteGrowth();
    }
    const errors = outcomes.flatMap((outcome) => ("error" in outcome ? [outcome.error] : []));
    for (const error of errors) {
      const isForeseen =
        error instanceof RMSpropError && [...all, places ? "MemoryError" : ""].includes(error.name);
      if (!isForeseen) throw error;
      if (error.message.length > 1000) throw new Error(`A message of ${error.message.length} characters`);
    }
    if (errors.length > 0 && errors.length < outcomes.length) throw errors[0];
    if (errors.length === 0) {
      if (all.length > 0) throw new Error(`Nothing was refused, expected ${all}`);
      const expected = apply();
      const results = outcomes.map((outcome) => (outcome as { result: Result }).result);
      results.forEach((result, i) => {
        compare(result, expected, this.worlds[i]!);
      });
      this.check();
      return results;
    }
    this.check();
    return undefined;
  }

  /** Compares all that is there with the model. */
  check(): void {
    this.worlds.forEach((world, i) => {
      for (const { model, reals } of this.members) {
        if (!model.isDisposed) world.compare(reals[i]!, model);
      }
      world.checkMarks();
      world.checkNeighbours();
    });
  }

  /** Writes gradients through views that are read anew, as callers do. */
  async writeGrads(member: Member, values: ReadonlyMap<string, Float32Array>): Promise<void> {
    if (member.model.isDisposed) {
      await this.call(member, { refusals: [], apply() {} }, (real) => Object.values(real.grads).map(String));
      return;
    }
    for (const tensor of member.model.tensors.tensors) {
      const { name } = tensor.plan;
      const given = values.get(name);
      if (!given) continue;
      this.worlds.forEach((world, i) => {
        const view = member.reals[i]!.grads[name]!;
        world.grads.set(name, view.byteOffset);
        view.set(given);
      });
      member.readGrads.set(name, this.generation);
      tensor.view("grad").set(given);
    }
    this.check();
  }

  /** Attaches another optimizer, at a rate for groups that have a schedule. */
  async attach(member: Member, lr: Hyperparameters["lr"] | undefined): Promise<void> {
    const { model } = member;
    const refusals = this.worlds[0]!.isShared ? [] : ["MemoryError"];
    if (lr === undefined && model.attachNeedsRate) refusals.push("OptionError");
    const reals = await this.call(
      member,
      { refusals, apply: () => undefined },
      (real, { entry }) =>
        entry.attach(posted(real.handle), lr === undefined ? {} : { lr }) as unknown as Real,
      () => {},
    );
    if (!reals) return;
    this.members.push({ model: model.attach(lr), reals, readGrads: new Map() });
    this.check();
  }

  end(): void {
    for (const { reals } of this.members) for (const real of reals) real.dispose();
  }
}

/** What arrives in another thread. */
export function posted(handle: Handle): Handle {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(handle);
  const { message } = receiveMessageOnPort(port2)!;
  port1.close();
  return message;
}
