/** The direction of imports: between the folders of the repository, and between the floors of src/. */
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

/** Each folder with those that it may import from, beside itself and the package by its name. */
const FOLDERS: Record<string, string[]> = {
  src: [],
  tools: [],
  scripts: ["tools"],
  examples: ["tools"],
  compat: ["tools"],
  bench: ["tools", "src"],
  demo: ["tools", "examples", "bench"],
  test: ["src", "tools", "scripts", "examples", "compat", "bench", "demo"],
  "vitest.config.ts": ["tools"],
};

/** The floors of src, from the ground up: a file imports from its own wing and from those below. Entries are the roof. */
const FLOORS = [
  ["errors.ts"],
  ["base"],
  ["memory"],
  ["kernel"],
  ["options", "threads"],
  ["optimizer"],
  ["checkpoint", "tfjs"],
];

const root = fileURLToPath(new URL("../../", import.meta.url)).replaceAll("\\", "/");
const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
const { fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);

/** Each file with those that it imports, also for types alone or on demand. */
const imports = new Map(
  fileNames.map((path) => {
    const { importedFiles } = ts.preProcessFile(ts.sys.readFile(path)!, true, true);
    const relative = importedFiles.filter(({ fileName }) => fileName.startsWith("."));
    const paths = relative.map(({ fileName }) => posix.join(posix.dirname(path), fileName));
    return [path.replace(root, ""), paths.map((path) => path.replace(root, ""))];
  }),
);
const all = [...imports].flatMap(([from, paths]) => paths.map((to) => ({ from, to })));

const folderOf = (path: string) => path.split("/")[0]!;

/** The number of the floor and the wing on it. Each entry belongs to the roof. */
function placeOf(path: string) {
  const [, wing] = path.split("/") as [string, string];
  const floor = FLOORS.findIndex((wings) => wings.includes(wing));
  return floor < 0 ? { floor: FLOORS.length, wing: "entries" } : { floor, wing };
}

function isDownwards(from: string, to: string): boolean {
  const [above, below] = [placeOf(from), placeOf(to)];
  return above.wing === below.wing || above.floor > below.floor;
}

/** Files that import each other round about, from the first to the first again. */
function circleFrom(path: string, trail: string[], done: Set<string>): string[] | undefined {
  if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
  if (done.has(path)) return undefined;
  done.add(path);
  for (const next of imports.get(path) ?? []) {
    const circle = circleFrom(next, [...trail, path], done);
    if (circle) return circle;
  }
  return undefined;
}

const shown = (wrong: typeof all) => wrong.map(({ from, to }) => `${from} → ${to}`);

describe("imports", () => {
  it("are read of every folder, and of every wing of src", () => {
    const wings = all.flatMap(({ from }) => (from.startsWith("src/") ? placeOf(from).wing : []));
    expect(new Set(wings)).toEqual(new Set(["entries", ...FLOORS.slice(1).flat()]));
    expect([...imports.keys()].map(folderOf)).toEqual(expect.arrayContaining(Object.keys(FOLDERS)));
  });

  it("between folders go where they may", () => {
    const wrong = all.filter(({ from, to }) => {
      const [here, there] = [folderOf(from), folderOf(to)];
      // A file beside the folders is configuration.
      return here !== there && to.includes("/") && !FOLDERS[here]?.includes(there);
    });
    expect(shown(wrong)).toEqual([]);
  });

  it("between the floors of src go downwards", () => {
    const wrong = all.filter(({ from, to }) => folderOf(from) === "src" && !isDownwards(from, to));
    expect(shown(wrong)).toEqual([]);
  });

  it("go in no circle", () => {
    const done = new Set<string>();
    const circles = [...imports.keys()].flatMap((path) => circleFrom(path, [], done)?.join(" → ") ?? []);
    expect(circles).toEqual([]);
  });
});
