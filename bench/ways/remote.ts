import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Runner } from "../way.ts";
import { arrayOf, hasGradients, initialSquareAvg, optionsOf, type Work } from "../work.ts";

/**
 * A process that does the work: `child.ts` or `pytorch.py`. It lives as long as the run, so that it takes its turn in
 * every round like the others, and does its own timing. A command is a line of JSON, and so is its answer.
 */
export class Remote {
  readonly #child;
  readonly #answers;
  #runners = 0;

  constructor(command: string, args: string[]) {
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async prepare(work: Work): Promise<Runner> {
    const runner = this.#runners++;
    const ask = <Answer>(name: string, more: object = {}) => this.#ask<Answer>({ do: name, runner, ...more });
    await ask("prepare", {
      work,
      hasGradients: hasGradients(work),
      squareAvg: initialSquareAvg[work.state],
      options: optionsOf(work),
    });
    return {
      reset: () => ask("reset"),
      time: async (steps) => (await ask<{ nanoseconds: number }>("time", { steps })).nanoseconds,
      async read() {
        const folder = mkdtempSync(join(tmpdir(), "rmsprop-bench-"));
        const path = join(folder, "params");
        try {
          await ask("read", { path });
          return new (arrayOf(work))(new Uint8Array(readFileSync(path)).buffer);
        } finally {
          rmSync(folder, { recursive: true });
        }
      },
      dispose: () => ask("dispose"),
    };
  }

  async #ask<Answer>(command: object): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) {
      throw new Error(`${this.#child.spawnargs.join(" ")}\nended early: what it printed above says why.`);
    }
    return JSON.parse(value) as Answer;
  }

  close(): void {
    this.#child.stdin.end();
  }
}
