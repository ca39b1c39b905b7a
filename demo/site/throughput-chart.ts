/** The throughput of one result as an SVG file: for the README. */
import { scaleLinear } from "d3-scale";
import type { BenchRecord, Result } from "../../bench/result.ts";
import { sizeTitle } from "../../bench/work.ts";
import type { Palette } from "../style/palette.ts";

/** Ways that share a line: the faster one is shown at each size. */
const WAYS = [["step"], ["scalar"], ["torch"], ["plain", "simple"], ["tfjs-wasm"]];
const SIZES = [2 ** 14, 2 ** 20, 2 ** 24];

const WIDTH = 720;
const [BAR, GAP, HEAD, TOP] = [18, 8, 34, 44];
/** The ends of the bars, between the names and the figures. */
const [LEFT, RIGHT] = [232, 620];

export function throughputChart({ records }: Result, palette: Palette): string {
  const groups = SIZES.map((size) => ({
    title: sizeTitle(size),
    bars: WAYS.flatMap((ways) =>
      records
        .filter((one) => one.case === "sizes" && ways.includes(one.way) && one.count === size)
        .sort((a, b) => perSecond(b) - perSecond(a))
        .slice(0, 1),
    ),
  })).filter(({ bars }) => bars.length > 0);
  const length = scaleLinear(
    [0, Math.max(...groups.flatMap(({ bars }) => bars.map(perSecond)))],
    [0, RIGHT - LEFT],
  );

  let y = TOP;
  const rows: string[] = [];
  for (const { title, bars } of groups) {
    rows.push(`<text x="0" y="${y + 18}" font-weight="600" fill="${palette.ink}">${title}</text>`);
    y += HEAD;
    for (const bar of bars) {
      rows.push(barOf(bar, y, length(perSecond(bar)), palette));
      y += BAR + GAP;
    }
    y += 10;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="14">
<title>How many parameters RMSprop updates in a second, by library and size</title>
<text x="0" y="20" font-size="16" font-weight="700" fill="${palette.ink}">Billion parameters updated per second, on one thread</text>
${rows.join("\n")}
</svg>
`;
}

function barOf(record: BenchRecord, y: number, length: number, palette: Palette): string {
  const isOurs = record.way === "step";
  const text = y + BAR - 4;
  const times = record.timesOf.step;
  // The median of ratios taken inside each round, as in the tables.
  const beside =
    times === undefined ? "" : ` · ${times < 10 ? times.toFixed(1) : times.toFixed(0)}× the time`;
  return `<text x="0" y="${text}" fill="${isOurs ? palette.ink : palette.soft}">${nameOf(record)}</text>
<rect x="${LEFT}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="4" fill="${isOurs ? palette.rmsprop : palette.edge}"/>
<text x="${(LEFT + length + 8).toFixed(1)}" y="${text}" font-size="13" fill="${palette.ink}">${perSecond(record).toPrecision(2)}<tspan fill="${palette.soft}">${beside}</tspan></text>`;
}

/** Which of the two loops is the faster one depends on the size. */
const nameOf = ({ way, title }: BenchRecord) =>
  way === "plain" || way === "simple" ? "JavaScript loop" : title.replace(", one thread", "");

/** A billion in a second is one in a nanosecond. */
const perSecond = ({ nsPerElement }: BenchRecord) => 1 / nsPerElement.median;
