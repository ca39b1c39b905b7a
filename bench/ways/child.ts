/** The other end of `isolated.ts`: obeys its parent line by line, in the way that its argument names. */
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Runner } from "../way.ts";
import type { Work } from "../work.ts";
import { wayByName } from "./index.ts";

interface Command {
  do: "prepare" | keyof Runner;
  runner: number;
  work: Work;
  steps: number;
  path: string;
}

const way = await wayByName(process.argv[2]!);
const runners = new Map<number, Runner>();

async function obey(command: Command): Promise<object> {
  if (command.do === "prepare") {
    runners.set(command.runner, await way.prepare(command.work));
    return {};
  }
  const runner = runners.get(command.runner)!;
  switch (command.do) {
    case "reset":
      await runner.reset();
      return {};
    case "time":
      return { nanoseconds: await runner.time(command.steps) };
    case "read":
      writeFileSync(command.path, await runner.read());
      return {};
    case "dispose":
      await runner.dispose();
      runners.delete(command.runner);
      globalThis.gc?.();
      return {};
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await obey(JSON.parse(line))));
}
