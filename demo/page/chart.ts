/** Live curves: uPlot in the page's colours, as wide as its place. */
import uPlot from "uplot";
import { roundedOut, short } from "./numbers.ts";
import { colorOf, onThemeChange } from "./theme.ts";

export interface Curve {
  /** The name of a colour in the style sheet. */
  color: string;
  width?: number;
  dash?: number[];
}

export interface ChartOptions {
  curves: Curve[];
  height: number;
  /** Gives the axis' ends for the curves' least and greatest values. Without it, the axis is logarithmic. */
  range?: (least: number, greatest: number) => [number, number];
  format?: (value: number) => string;
}

export interface Chart {
  /** Draws curves of as many values as there are `xs`; null is a gap. */
  draw(xs: number[], ...curves: (number | null)[][]): void;
}

const NOTHING_YET: [number, number] = [0.1, 10];
const FONT = "12px Figtree, system-ui, sans-serif";

export function chart(place: HTMLElement, options: ChartOptions): Chart {
  const { curves, height, format = short } = options;
  const isLog = options.range === undefined;
  // Ends of few digits: from one of more, uPlot's search for ticks may never reach the other.
  const range = options.range ?? roundedOut;
  /** Names ticks of a logarithmic axis: powers of ten have room; on a short one, their doubles and halves too. */
  const isNamed = (tick: number, all: number[]) => {
    if (!isLog) return true;
    const digit = Number(tick.toExponential(0)[0]);
    const isRound = Math.abs(tick / 10 ** Math.floor(Math.log10(tick * 1.0001)) - digit) < 0.01;
    return isRound && (digit === 1 || (all.at(-1)! / all[0]! < 50 && (digit === 2 || digit === 5)));
  };
  const axis = {
    stroke: () => colorOf("soft"),
    font: FONT,
    ticks: { show: false },
    grid: { stroke: () => colorOf("line"), width: 1 },
  };
  const plot = new uPlot(
    {
      width: place.clientWidth,
      height,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 18, 0, 0],
      scales: {
        x: { time: false },
        y: {
          distr: isLog ? 3 : 1,
          // With nothing to show yet, uPlot passes null or infinity, and accepts neither as an answer.
          range: (_, least, greatest) => (Number.isFinite(least) ? range(least, greatest) : NOTHING_YET),
        },
      },
      axes: [
        { ...axis, size: 24, gap: 4 },
        {
          ...axis,
          size: 48,
          gap: 4,
          filter: (_, ticks) => ticks.map((tick) => (isNamed(tick, ticks) ? tick : null)),
          values: (_, ticks) => ticks.map((tick) => (tick === null ? null : format(tick))),
        },
      ],
      series: [
        {},
        ...curves.map(({ color, width = 2, dash }) => ({
          stroke: () => colorOf(color),
          width,
          ...(dash && { dash }),
          points: { show: false },
        })),
      ],
    },
    [[], ...curves.map(() => [])],
    place,
  );
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height })).observe(place);
  onThemeChange(() => plot.redraw(false));
  return { draw: (...data) => plot.setData(data) };
}
