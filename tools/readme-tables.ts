/** Tables of the pages that are generated from results, each between two marker comments. */
import { fileURLToPath } from "node:url";

/** A page by its path in the repository, such as "docs/speed.md". */
export const pagePath = (page: string): string => fileURLToPath(new URL(`../${page}`, import.meta.url));

/** A Markdown table whose head is the first row. Figures stand to the right, below each other. */
export function tableOf(rows: string[][], alignment: "---" | "--:" = "--:"): string {
  const [head, ...others] = rows as [string[], ...string[][]];
  const rule = head.map((_, i) => (i === 0 ? "---" : alignment));
  return [head, rule, ...others].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** The page with the table between the markers of that name. */
export function withTable(page: string, table: string, name: string): string {
  const opening = `<!-- ${name}:start -->`;
  const closing = `<!-- ${name}:end -->`;
  const start = page.indexOf(opening);
  const end = page.indexOf(closing);
  if (start < 0 || end < start)
    throw new Error(`The page lacks ${opening} … ${closing}, where the table goes.`);
  return `${page.slice(0, start + opening.length)}\n${table}\n${page.slice(end)}`;
}
