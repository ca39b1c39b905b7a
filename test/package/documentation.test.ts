/** The docstrings of the public surface, as TypeDoc finds them: their examples run, and their defaults are true. */
import { RMSprop } from "rmsprop-wasm";
import {
  Application,
  type Comment,
  type Reflection,
  ReflectionKind,
  TSConfigReader,
  TypeDocReader,
} from "typedoc";
import { describe, expect, it } from "vitest";
import { codeBlocks, expectToRun } from "../support/code-blocks.ts";
import { describeWith } from "../support/required.ts";
import { tfjs } from "../tfjs/installed.ts";

const app = await Application.bootstrap({}, [new TypeDocReader(), new TSConfigReader()]);
const project = (await app.convert())!;

/** The texts of one tag, such as "@example". */
function tagged(comment: Comment | undefined, tag: `@${string}`): string[] {
  return (comment?.getTags(tag) ?? []).map(({ content }) => content.map(({ text }) => text).join(""));
}

/** Errors are caught as their root's example shows. */
const isKindOfError = (reflection: Reflection) =>
  reflection.isDeclaration() && reflection.extendedTypes?.some((type) => `${type}` === "RMSpropError");

describe("every public class and function has an example, which runs:", () => {
  const documented = project
    .getReflectionsByKind(ReflectionKind.Class | ReflectionKind.Function)
    .filter((reflection) => !isKindOfError(reflection) || reflection.name === "ThreadError")
    .map((reflection) => {
      const signature = reflection.isDeclaration() ? reflection.signatures?.[0] : undefined;
      const examples = tagged(signature?.comment ?? reflection.comment, "@example").flatMap(codeBlocks);
      return { name: reflection.getFullName(), examples };
    });

  const run = (all: typeof documented) =>
    it.each(all)("$name", async ({ examples }) => {
      expect(examples.length).toBeGreaterThan(0);
      for (const { code } of examples) await expectToRun(code);
    });
  const isOnTfjs = ({ name }: { name: string }) => name.startsWith("rmsprop-wasm/tfjs.");
  run(documented.filter((one) => !isOnTfjs(one)));
  describeWith(tfjs, "beside tf.js:", () => {
    run(documented.filter(isOnTfjs));
  });

  it("of every entry", () => {
    expect(documented.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "rmsprop-wasm.RMSprop",
        "rmsprop-wasm/core.instantiate",
        "rmsprop-wasm/js.RMSprop",
        "rmsprop-wasm/tfjs.rmsprop",
      ]),
    );
  });
});

it("every hyperparameter's default is the one that it says", () => {
  const defaults = Object.entries({ ...new RMSprop({ w: [1] }).groups[0] });
  const said = defaults.map(([name]) => {
    const member = project.getChildByName(["rmsprop-wasm", "Hyperparameters", name]);
    return [name, ...tagged(member?.comment, "@defaultValue")];
  });
  expect(said).toEqual(defaults.map(([name, value]) => [name, `\`\`\`ts\n${value}\n\`\`\``]));
});
