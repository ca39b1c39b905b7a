/** The pages' pictures, each for light and for dark pages: `npm run charts` writes them, a test compares them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { newestResult } from "../../bench/store.ts";
import { readResult } from "../../examples/tuning/table.ts";
import { racePicture } from "../race/picture.ts";
import { paletteOf, THEMES } from "../style/palette.ts";
import { throughputChart } from "./throughput-chart.ts";
import { tuningChart } from "./tuning-chart.ts";

export const picturesFolder = new URL("../../docs/images/", import.meta.url);

/** Texts of the files by their names. */
export function pictures(): Record<string, string> {
  const result = newestResult();
  const tuning = readResult();
  return Object.fromEntries(
    THEMES.flatMap((theme) => {
      const palette = paletteOf(theme);
      return [
        [`race-${theme}.svg`, racePicture(palette)],
        [`throughput-${theme}.svg`, throughputChart(result, palette)],
        [`tuning-${theme}.svg`, tuningChart(tuning, palette)],
      ];
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(picturesFolder, { recursive: true });
  for (const [name, text] of Object.entries(pictures())) writeFileSync(new URL(name, picturesFolder), text);
}
