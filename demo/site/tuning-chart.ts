/** The tuning bench as an SVG file: for each task, the loss against the learning rate. */
import { scaleLog } from "d3-scale";
import { DEFAULT_RATE, type TaskResult, type TuningResult } from "../../examples/tuning/result.ts";
import type { Palette } from "../style/palette.ts";

const [WIDTH, COLUMNS, PANEL, HEIGHT, GAP, TOP] = [720, 3, 220, 170, 30, 70];
/** Space for the title above a panel's lines and for the rates below them. */
const [HEAD, FOOT] = [24, 18];

export function tuningChart({ tasks, rates }: TuningResult, palette: Palette): string {
  const lines = [
    { way: "constant", title: "constant rate", color: palette.soft, dash: "" },
    { way: "cosine", title: "with a cosine", color: palette.soft, dash: "5 4" },
    { way: "scheduleFree", title: "scheduleFree", color: palette.rmsprop, dash: "" },
  ] as const;
  const legend = [...lines, { title: 'lr: "auto"', color: palette.ink, dash: "2 3" }].map(
    ({ title, color, dash }, i) =>
      `<path d="M${i * 150},42h24" stroke="${color}" stroke-width="2.5" stroke-dasharray="${dash}"/><text x="${i * 150 + 30}" y="47" fill="${palette.ink}">${title}</text>`,
  );
  const panels = tasks.map((task, i) => {
    const at = `translate(${(i % COLUMNS) * (PANEL + GAP)},${TOP + Math.floor(i / COLUMNS) * (HEIGHT + GAP)})`;
    return `<g transform="${at}">${panelOf(task, rates)}</g>`;
  });
  const height = TOP + Math.ceil(tasks.length / COLUMNS) * (HEIGHT + GAP);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="none">
<title>Loss against learning rate on six tasks: constant, with a cosine, scheduleFree, and the loss of lr: "auto"</title>
<text x="0" y="20" font-size="16" font-weight="700" fill="${palette.ink}">Loss after training against the learning rate; lower is better</text>
${[...legend, ...panels].join("\n")}
</svg>
`;

  function panelOf({ name, losses, auto }: TaskResult, all: readonly number[]): string {
    const finite = [...Object.values(losses).flat(), auto].filter(
      (loss) => loss !== null && loss > 0,
    ) as number[];
    const lowest = Math.min(...finite);
    // Rates that end in nothing would press all others to the floor.
    const highest = Math.min(Math.max(...finite), lowest * 1e4);
    const x = scaleLog([all[0]!, all.at(-1)!], [0, PANEL]);
    const y = scaleLog([lowest * 0.9, highest * 1.1], [HEIGHT - FOOT, HEAD]).clamp(true);
    const pathOf = (values: readonly (number | null)[]) =>
      values
        .map((loss, i) => `${i ? "L" : "M"}${x(all[i]!).toFixed(1)},${y(loss ?? Infinity).toFixed(1)}`)
        .join("");
    const paths = lines.map(
      ({ way, color, dash }) =>
        `<path d="${pathOf(losses[way])}" stroke="${color}" stroke-width="2" stroke-dasharray="${dash}"/>`,
    );
    const free = losses.scheduleFree[all.indexOf(DEFAULT_RATE)] ?? highest;
    const level = y(auto ?? highest).toFixed(1);
    return `<text x="0" y="12" font-weight="600" fill="${palette.ink}">${name}</text>
<path d="M0,${HEIGHT - FOOT}h${PANEL}" stroke="${palette.edge}"/>
${paths.join("\n")}
<path d="M0,${level}h${PANEL}" stroke="${palette.ink}" stroke-width="2" stroke-dasharray="2 3"/>
<circle cx="${x(DEFAULT_RATE).toFixed(1)}" cy="${y(free).toFixed(1)}" r="4" fill="${palette.rmsprop}"/>
${[1e-5, 1e-3, 1e-1].map((rate, i) => `<text x="${x(rate).toFixed(1)}" y="${HEIGHT}" font-size="11" text-anchor="${["start", "middle", "end"][i]}" fill="${palette.soft}">${rate}</text>`).join("")}`;
  }
}
