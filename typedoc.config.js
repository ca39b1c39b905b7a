/**
 * The site of pages and API, by `npm run docs`. An undocumented name is an error, there and in `npm run check`.
 * VitePress was built beside it: 150 packages more, links to translate between pages and API, and a layout that shifts.
 */
import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { Comment, CommentTag, Converter, JSX, ReflectionKind } from "typedoc";

/** The pages in reading order. A page that isn't named here comes last. */
const PAGES = {
  Guides: [
    "choosing-settings",
    "no-tuning",
    "training",
    "options",
    "checkpoints",
    "threads",
    "several-machines",
    "memory",
    "react-vue-svelte",
  ],
  "Kinds of models": ["recurrent-networks", "sparse-rows", "reinforcement-learning", "gpu-data"],
  "Coming from": ["from-tfjs", "from-pytorch", "from-a-hand-written-loop"],
  Background: ["dialects", "numerics", "float64", "speed", "eight-lanes", "where-it-works"],
};
const files = readdirSync(new URL("docs", import.meta.url)).filter((name) => name.endsWith(".md"));
const inOrder = Object.values(PAGES).flatMap((names) => names.map((name) => `${name}.md`));

/** Gives each page its group, and its heading for a name. @param {import("typedoc").Application} app */
function namePages(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, page) => {
    const group = Object.entries(PAGES).find(([, names]) => names.includes(basename(page.name)));
    page.frontmatter.group = group?.[0] ?? "Background";
    page.name = page.content[0]?.text.match(/^# (.*)$/m)?.[1] ?? page.name;
  });
}

/** Puts the errors behind everything else of their module. @param {import("typedoc").Application} app */
function groupErrors(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const one of project.getReflectionsByKind(ReflectionKind.Class | ReflectionKind.Reference)) {
      if (!one.name.endsWith("Error")) continue;
      one.comment ??= new Comment();
      one.comment.blockTags.push(new CommentTag("@group", [{ kind: "text", text: "Errors" }]));
    }
  });
}

/**
 * Documents the members of a dialect, which is data in the words of `Hyperparameters`.
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

/**
 * Opens the menu's groups on a first visit: closed, they hide the pages. The theme has no option for it, but keeps in the
 * browser which groups are open.
 *
 * @param {import("typedoc").Application} app
 */
function openGroups(app) {
  const keys = [...Object.keys(PAGES), "Modules"].map((group) => `tsd-accordion-${group}`);
  const html = `try { for (const key of ${JSON.stringify(keys)}) localStorage.getItem(key) ?? localStorage.setItem(key, "true"); } catch {}`;
  const script = () => JSX.createElement("script", null, JSX.createElement(JSX.Raw, { html }));
  app.renderer.hooks.on("head.end", script);
}

/** @type {Partial<import("typedoc").TypeDocOptions>} */
export default {
  plugin: [namePages, groupErrors, documentDialects, openGroups],
  entryPoints: ["src/index.ts", "src/f64.ts", "src/checkpoint.ts", "src/tfjs.ts", "src/core.ts", "src/js.ts"],
  tsconfig: "scripts/tsconfig.types.json",
  out: "build/docs",
  readme: "README.md",
  projectDocuments: [...[...new Set([...inOrder, ...files])].map((name) => `docs/${name}`), "CHANGELOG.md"],
  sortEntryPoints: false,
  groupOrder: [...Object.keys(PAGES), "Modules", "Classes", "Functions", "Variables", "*", "Errors"],
  navigation: { includeGroups: true },
  headings: { readme: false, document: false },
  customCss: "docs/site.css",
  favicon: "demo/icon.svg",
  includeVersion: true,
  searchInDocuments: true,
  disableSources: true,
  excludeInternal: true,
  // Parts of named types that are of no use by themselves.
  intentionallyNotExported: ["HandleGroup", "CommonOptions"],
  validation: { notDocumented: true },
  treatWarningsAsErrors: true,
};
