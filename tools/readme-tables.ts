/** Tables of the README that are generated from results, each between two marker comments. */
import { fileURLToPath } from "node:url";

export const readmePath = fileURLToPath(new URL("../README.md", import.meta.url));

/** A Markdown table whose head is the first row. Figures stand to the right, below each other. */
export function tableOf(rows: string[][], alignment: "---" | "--:" = "--:"): string {
  const [head, ...others] = rows as [string[], ...string[][]];
  const rule = head.map((_, i) => (i === 0 ? "---" : alignment));
  return [head, rule, ...others].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** The README with the table between the markers of that name. */
export function withTable(readme: string, table: string, name: string): string {
  const opening = `<!-- ${name}:start -->`;
  const closing = `<!-- ${name}:end -->`;
  const start = readme.indexOf(opening);
  const end = readme.indexOf(closing);
  if (start < 0 || end < start)
    throw new Error(`The README lacks ${opening} … ${closing}, where the table goes.`);
  return `${readme.slice(0, start + opening.length)}\n${table}\n${readme.slice(end)}`;
}
