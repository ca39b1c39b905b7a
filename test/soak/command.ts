/** Commands of a session, as fast-check draws, runs and shrinks them. */
import fc from "fast-check";
import type { Session } from "./session.ts";

/** How many commands have run, by their names. */
export const counts = new Map<string, number>();

export class Call<Args> implements fc.AsyncCommand<object, Session> {
  constructor(
    readonly name: string,
    readonly args: Args,
    readonly perform: (session: Session, args: Args) => unknown,
  ) {}

  check(): boolean {
    return true;
  }

  async run(_: object, session: Session): Promise<void> {
    counts.set(this.name, (counts.get(this.name) ?? 0) + 1);
    await this.perform(session, this.args);
  }

  toString(): string {
    return `${this.name}(${fc.stringify(this.args)})`;
  }
}

export interface Drawn {
  readonly weight: number;
  readonly arbitrary: fc.Arbitrary<Call<unknown>>;
}

/** A command of so much weight among the others, called after the function that performs it. */
export function command<Args>(
  weight: number,
  perform: (session: Session, args: Args) => unknown,
  args: fc.Arbitrary<Args>,
): Drawn {
  return { weight, arbitrary: args.map((args) => new Call(perform.name, args, perform) as Call<unknown>) };
}

/** One of several by any number. */
export function pick<Item>(items: readonly Item[], n: number): Item {
  return items[n % items.length]!;
}

/** Which optimizer. */
export const who = fc.nat(5);
