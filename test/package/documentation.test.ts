/**
 * The docstrings of the public surface, as TypeDoc finds them: their examples run, and the defaults are as they say. And
 * the site that it makes of them and of the pages: no link leads nowhere.
 */
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
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

const app = await Application.bootstrapWithPlugins({}, [new TypeDocReader(), new TSConfigReader()]);
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
        "rmsprop-wasm/f64.RMSprop",
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

describe("the site", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rmsprop-site-"));
  await app.generateDocs(project, folder);
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) =>
    path.replaceAll("\\", "/"),
  );
  const texts = new Map(
    paths
      .filter((path) => path.endsWith(".html"))
      .map((path) => [path, readFileSync(join(folder, path), "utf8")]),
  );
  const hasAnchor = (path: string, anchor: string) => texts.get(path)?.includes(`id="${anchor}"`);

  it("has no dead link", () => {
    const dead = [...texts].flatMap(([from, html]) => {
      const links = [...html.matchAll(/ (?:href|src|srcset)="(?!https?:|data:)([^"#]*)#?([^"]*)"/g)];
      expect(links.length).toBeGreaterThan(10);
      const wrong = links.filter(([, path, anchor]) => {
        const to = path ? posix.join(posix.dirname(from), decodeURI(path)) : from;
        return !paths.includes(to) || (anchor && texts.has(to) && !hasAnchor(to, decodeURI(anchor)));
      });
      return wrong.map(([, path, anchor]) => `${from} → ${path}#${anchor}`);
    });
    expect(dead).toEqual([]);
  });

  it("has what the page of demo/ links to", () => {
    const page = readFileSync(new URL("../../demo/index.html", import.meta.url), "utf8");
    const links = Array.from(page.matchAll(/href="docs\/([^"]*)"/g), ([, path]) => path);
    expect(links).toContain("index.html");
    expect(paths).toEqual(expect.arrayContaining(links));
  });

  it("has every page of docs/, named by its heading", () => {
    const pages = readdirSync(new URL("../../docs", import.meta.url)).filter((name) => name.endsWith(".md"));
    const documents = project.documents!.map(({ name }) => name);
    expect(documents.length).toBe(pages.length + 1); // and the changelog
    expect(documents).toContain("Coming from PyTorch");
  });

  it("opens the groups of its menu on a first visit", () => {
    const script = texts.get("index.html")!.match(/<script>(try .*?)<\/script>/)![1]!;
    const kept = new Map([["tsd-accordion-Guides", "false"]]);
    const localStorage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
    };
    new Function("localStorage", script)(localStorage);
    expect(kept.get("tsd-accordion-Guides")).toBe("false"); // as the visitor left it
    expect(kept.get("tsd-accordion-Coming from")).toBe("true");
    expect(kept.get("tsd-accordion-Modules")).toBe("true");
  });

  it("shows RMSprop before its errors", () => {
    const html = texts.get("modules/rmsprop-wasm.html")!;
    const places = ["RMSprop", "Options", "BackendError"].map((name) =>
      html.indexOf(`rmsprop-wasm.${name}.html`),
    );
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });
});
