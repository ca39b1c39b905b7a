/** The README's table of places where the package was tried, from the result of the matrix. */
import { tableOf, withTable } from "../tools/readme-tables.ts";
import type { CellResult, Result } from "./result.ts";

const HEAD = ["where", "version", "how", "runs on"];

export function supportTable({ cells, date }: Result): string {
  const rows = new Map<string, CellResult[]>();
  for (const cell of cells) {
    const key = `${cell.place}\n${cell.outcome}`;
    rows.set(key, [...(rows.get(key) ?? []), cell]);
  }
  const browsers = unique(cells.flatMap(({ browser }) => browser ?? []));
  return [
    tableOf([HEAD, ...[...rows.values()].map(rowOf)], "---"),
    "",
    `Bundles and pages ran in ${browsers.join(" and ")}; ${date.slice(0, 10)}.`,
  ].join("\n");
}

function rowOf(cells: CellResult[]): string[] {
  const { place, outcome } = cells[0]!;
  return [
    place,
    unique(cells.map(({ version }) => version)).join(", "),
    unique(cells.map(({ way }) => way)).join(", "),
    outcome,
  ];
}

function unique(values: string[]): string[] {
  return [...new Set(values)];
}

/** The README with the table of that result. */
export function withSupportTable(readme: string, result: Result): string {
  return withTable(readme, supportTable(result), "compat");
}
