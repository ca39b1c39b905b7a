/** The style sheet's colours, for pictures that stand by themselves. */
import { readFileSync } from "node:fs";

export const THEMES = ["light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const NAMES = [
  "card",
  "ink",
  "soft",
  "rule",
  "raised",
  "edge",
  "low",
  "high",
  "rmsprop",
  "descent",
  "adam",
] as const;
export type Palette = Record<(typeof NAMES)[number], string>;

export function paletteOf(theme: Theme): Palette {
  const sheet = readFileSync(new URL("base.css", import.meta.url), "utf8");
  const colors = NAMES.map((name) => {
    const found = sheet.match(new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\);`));
    if (!found) throw new Error(`demo/style/base.css gives no two colours for --${name}.`);
    return [name, found[1 + THEMES.indexOf(theme)]];
  });
  return Object.fromEntries(colors);
}
