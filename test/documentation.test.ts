/** The docstrings of the public surface, as TypeDoc finds them: their examples run, and the defaults are as they say. */
import { RMSprop } from "rmsprop-wasm";
import { Application, type Comment, ReflectionKind, TSConfigReader, TypeDocReader } from "typedoc";
import { describe, expect, it } from "vitest";
import { codeBlocks, expectToRun } from "./code-blocks.ts";

const app = await Application.bootstrap({}, [new TypeDocReader(), new TSConfigReader()]);
const project = (await app.convert())!;

/** The texts of one tag, such as "@example". */
function tagged(comment: Comment | undefined, tag: `@${string}`): string[] {
  return (comment?.getTags(tag) ?? []).map(({ content }) => content.map(({ text }) => text).join(""));
}

describe("every public class and function has an example, which runs:", () => {
  const documented = project
    .getReflectionsByKind(ReflectionKind.Class | ReflectionKind.Function)
    .map((reflection) => {
      const signature = reflection.isDeclaration() ? reflection.signatures?.[0] : undefined;
      return { name: reflection.getFullName(), comment: signature?.comment ?? reflection.comment };
    });

  it.each(documented)("$name", async ({ comment }) => {
    const examples = tagged(comment, "@example").flatMap(codeBlocks);
    expect(examples.length).toBeGreaterThan(0);
    for (const { code } of examples) await expectToRun(code);
  });

  it("of every entry", () => {
    expect(documented.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "rmsprop-wasm.RMSprop",
        "rmsprop-wasm/core.instantiate",
        "rmsprop-wasm/js.RMSprop",
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
