/** The map with the racers on it, as SVG: colours come from the style sheet. */
import { axisBottom, axisLeft } from "d3-axis";
import { pointer, type Selection, select } from "d3-selection";
import { levelsOf, lineThrough, MAP, mapScales } from "./map.ts";
import { RACER_NAMES, type Race, type RacerName } from "./race.ts";
import type { Point, Surface } from "./surfaces.ts";

/** Length of the ellipse's longer half axis. */
const ELLIPSE_RADIUS = 44;
/** Least length of the shorter one, so that it stays visible. */
const LEAST_RADIUS = 2;

type Group = Selection<SVGGElement, unknown, null, undefined>;

export class Stage {
  readonly #svg;
  readonly #land: Group;
  readonly #axes: Group;
  readonly #marks: Group;
  readonly #ellipse;
  readonly #racers;
  readonly #target;
  #surface: Surface | undefined;
  #race: Race | undefined;
  #drawn = 0;
  /** The lines as text, since to write them anew for each step would take longer the longer they are. */
  #lines = new Map<RacerName, string>();

  /** @param onDrop hears the place where the visitor wants the start. */
  constructor(
    readonly place: HTMLElement,
    onDrop: (start: Point) => void,
  ) {
    const svg = select(place)
      .append("svg")
      .attr("viewBox", `0 0 ${MAP.width} ${MAP.height}`)
      .attr("aria-hidden", "true");
    this.#svg = svg;
    this.#land = svg.append("g").attr("class", "land");
    this.#axes = svg.append("g").attr("class", "axes");
    this.#marks = svg.append("g").attr("class", "minima");
    const lines = svg.append("g");
    this.#ellipse = svg.append("ellipse").attr("class", "ellipse");
    this.#racers = RACER_NAMES.map((name) => ({
      name,
      halo: lines.append("path").attr("class", "halo"),
      line: lines.append("path").attr("class", `line ${name}`),
      dot: svg
        .append("circle")
        .attr("class", `dot ${name}`)
        .attr("r", name === "rmsprop" ? 7 : 6),
    }));
    this.#target = svg.append("path").attr("class", "target").attr("d", "M-12 0H12M0-12V12");
    svg.on("click", (event) => {
      const [x, y] = pointer(event, svg.node());
      if (!this.#surface) return;
      const scales = mapScales(this.#surface);
      onDrop({ x: scales.x.invert(x), y: scales.y.invert(y) });
    });
  }

  show(race: Race): void {
    if (this.#surface !== race.surface) this.#showSurface(race.surface);
    this.#race = race;
    this.#drawn = 0;
    this.#lines = new Map(RACER_NAMES.map((name) => [name, ""]));
    this.aim(undefined);
    this.update();
  }

  #showSurface(surface: Surface): void {
    this.#surface = surface;
    this.#land
      .selectAll("path")
      .data(levelsOf(surface))
      .join("path")
      .attr("d", ({ path }) => path)
      .style("--share", ({ share }) => `${Math.round(100 * share)}%`);
    const { x, y } = mapScales(surface);
    const bottom = axisBottom(x).tickValues(inside(x, 6)).tickSize(-4).tickPadding(-14);
    const left = axisLeft(y).tickValues(inside(y, 5)).tickSize(-4).tickPadding(-8);
    this.#axes.selectAll("g").remove();
    this.#axes.append("g").attr("transform", `translate(0,${MAP.height})`).call(bottom);
    this.#axes.append("g").attr("class", "left").call(left);
    this.#marks
      .selectAll("path")
      .data(surface.minima)
      .join("path")
      .attr("d", "M-7-7L7 7M-7 7L7-7")
      .attr("transform", (minimum) => `translate(${x(minimum.x)},${y(minimum.y)})`);
    this.#marks
      .selectAll("circle")
      .data(surface.minima)
      .join("circle")
      .attr("r", x(surface.goal) - x(0))
      .attr("cx", (minimum) => x(minimum.x))
      .attr("cy", (minimum) => y(minimum.y));
  }

  /** Draws the steps since it was last called. */
  update(): void {
    const race = this.#race!;
    const { x, y } = mapScales(race.surface);
    for (const { name, halo, line, dot } of this.#racers) {
      const { path, outAfter } = race.lanes[name];
      const fresh = path.slice(this.#drawn);
      if (fresh.length > 0) {
        const text =
          this.#lines.get(name)! + (this.#drawn === 0 ? "M" : "L") + lineThrough(fresh, race.surface);
        this.#lines.set(name, text);
        halo.attr("d", text);
        line.attr("d", text);
      }
      const { x: atX, y: atY } = path.at(-1)!;
      dot
        .attr("cx", x(atX))
        .attr("cy", y(atY))
        .classed("out", outAfter !== undefined);
    }
    this.#drawn = race.steps + 1;
    this.#drawEllipse(race);
  }

  #drawEllipse({ lanes, rmsprop, surface }: Race): void {
    const { x, y } = mapScales(surface);
    const { steepness } = rmsprop;
    const most = Math.max(steepness.x, steepness.y);
    const unit = most > 0 ? ELLIPSE_RADIUS / most : 0;
    const at = lanes.rmsprop.path.at(-1)!;
    this.#ellipse
      .attr("cx", x(at.x))
      .attr("cy", y(at.y))
      .attr("rx", Math.max(steepness.x * unit, LEAST_RADIUS))
      .attr("ry", Math.max(steepness.y * unit, LEAST_RADIUS));
  }

  /** Shows the place where the start would be dropped; undefined hides it. */
  aim(point: Point | undefined): void {
    this.#target.classed("shown", point !== undefined);
    if (!point || !this.#surface) return;
    const { x, y } = mapScales(this.#surface);
    this.#target.attr("transform", `translate(${x(point.x)},${y(point.y)})`);
  }

  get svg(): SVGSVGElement {
    return this.#svg.node()!;
  }
}

/** Ticks whose labels have room: not at the map's edges. */
function inside(scale: ReturnType<typeof mapScales>["x"], count: number): number[] {
  const [from, to] = scale.domain() as [number, number];
  const margin = 0.04 * (to - from);
  return scale.ticks(count).filter((tick) => tick > from + margin && tick < to - margin);
}
