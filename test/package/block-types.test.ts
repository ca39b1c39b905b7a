/** The code of the pages under the strictest settings of TypeScript that a reader may have. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { codeBlocks } from "../support/code-blocks.ts";
import { describeWith } from "../support/required.ts";
import { tfjs } from "../tfjs/installed.ts";

const root = fileURLToPath(new URL("../../", import.meta.url)).replaceAll("\\", "/");
const pages = ["README.md", ...readdirSync(`${root}docs`).map((name) => `docs/${name}`)];

/** Each block as a module at the root, where imports find what they find in the repository. */
const blocks = pages
  .filter((page) => page.endsWith(".md"))
  .flatMap((page) => {
    const code = codeBlocks(readFileSync(root + page, "utf8")).filter(({ language }) => language === "ts");
    return code.map(({ code }, i) => ({
      title: `${page}, ${i + 1}`,
      path: `${root}${page.replaceAll("/", "-")}-${i + 1}.ts`,
      code: `${code}\nexport {};`,
    }));
  });

/** The compiler's complaints by the path of the block. They are checked in one program, which takes the time of one. */
function complaints(): Map<string, string[]> {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const paths = { ...options.paths, "@tensorflow/tfjs": ["./test/support/tfjs-package.ts"] };
  const settings = { ...options, paths, noUnusedLocals: false, noUncheckedSideEffectImports: false };
  const host = ts.createCompilerHost(settings);
  const texts = new Map(blocks.map(({ path, code }) => [path, code]));
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, target, ...rest) => {
    const text = texts.get(path);
    return text === undefined
      ? getSourceFile(path, target, ...rest)
      : ts.createSourceFile(path, text, target);
  };
  const program = ts.createProgram([...texts.keys()], settings, host);
  return new Map(
    blocks.map(({ path }) => {
      const file = program.getSourceFile(path)!;
      const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
      return [path, found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))];
    }),
  );
}

const found = complaints();
const isOnTfjs = ({ code }: { code: string }) => code.includes('from "@tensorflow/');
const check = (some: typeof blocks) =>
  it.each(some)("$title", ({ path }) => expect(found.get(path)).toEqual([]));

describe("every block compiles under strict, exactOptionalPropertyTypes and noUncheckedIndexedAccess:", () => {
  check(blocks.filter((block) => !isOnTfjs(block)));
  describeWith(tfjs, "beside tf.js:", () => {
    check(blocks.filter(isOnTfjs));
  });
});
