/** The API documentation, by `npm run docs`. An undocumented name is an error, there and in `npm run check`. */
import { Converter, ReflectionKind } from "typedoc";

/**
 * A dialect is data, in `Hyperparameters`' words: its members are documented there.
 *
 * @param {import("typedoc").Application} app
 */
function documentDialects(app) {
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    const [meaning] = project
      .getReflectionsByKind(ReflectionKind.Interface)
      .filter(({ name }) => name === "Hyperparameters");
    for (const member of project.getReflectionsByKind(ReflectionKind.Property)) {
      if (!member.getFullName().includes(".dialects.")) continue;
      member.comment ??= meaning?.getChildByName(member.name)?.comment;
    }
  });
}

/** @type {Partial<import("typedoc").TypeDocOptions>} */
export default {
  plugin: [documentDialects],
  entryPoints: ["src/index.ts", "src/core.ts", "src/js.ts", "src/checkpoint.ts", "src/tfjs.ts"],
  tsconfig: "scripts/tsconfig.types.json",
  out: "build/docs",
  readme: "README.md",
  projectDocuments: ["docs/*.md"],
  disableSources: true,
  excludeInternal: true,
  // Parts of named types that are of no use by themselves.
  intentionallyNotExported: ["HandleGroup", "CommonOptions"],
  // A test follows the pages' paths, some of which lead to folders.
  validation: { invalidPath: false, notDocumented: true },
  treatWarningsAsErrors: true,
};
