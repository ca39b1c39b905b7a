/** The race as one SVG file that moves by itself: for the README. */
import type { Palette } from "../style/palette.ts";
import { racerTitles } from "./captions.ts";
import { levelsOf, lineThrough, MAP, mapScales, tenth } from "./map.ts";
import { type Lane, Race, settingsFor } from "./race.ts";
import { surfaces } from "./surfaces.ts";

/** For those who meet RMSprop here, three are enough. */
const RACERS = ["descent", "adam", "rmsprop"] as const;
type PictureRacer = (typeof RACERS)[number];

const STEPS = 600;
const SECONDS = 9;
/** A pause at the end, for those who look closely. */
const HOLD_SECONDS = 4;
/** Keyframes of the movement. Between them, browsers move things in straight lines. */
const KEYFRAMES = 75;
const LEGEND_HEIGHT = 56;
const CELLS = { columns: 80, rows: 50 };

export function racePicture(palette: Palette): string {
  const surface = surfaces.ravine;
  const race = new Race(surface, surface.start, settingsFor(surface));
  while (race.steps < STEPS) race.advance();
  const { x, y } = mapScales(surface);
  const land = levelsOf(surface, CELLS)
    .map(({ path, share }) => `<path d="${path}" fill="${mix(palette.low, palette.high, share)}"/>`)
    .join("\n");
  const [minimum] = surface.minima;
  const cross = `<path d="M-7-7L7 7M-7 7L7-7" transform="translate(${tenth(x(minimum!.x))},${tenth(y(minimum!.y))})" stroke="${palette.ink}" stroke-width="3" stroke-linecap="round"/>`;

  const racers = RACERS.map((name) => {
    const path = lineThrough(race.lanes[name].path, surface);
    return `<path class="${name}" d="M${path}" pathLength="1"/>`;
  });
  const dots = RACERS.map((name) => `<circle class="${name}-dot" r="${name === "rmsprop" ? 7 : 6}"/>`);
  const legend = [...RACERS]
    .reverse()
    .map((name, i) => legendOf(name, race.lanes[name], 18 + i * 212, palette));
  race.dispose();

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${MAP.width} ${MAP.height + LEGEND_HEIGHT}" font-family="system-ui, sans-serif" font-size="14">
<title>RMSprop, Adam and gradient descent on the way down a ravine</title>
<style>
${RACERS.map((name) => styleOf(name, race.lanes[name], race, palette)).join("\n")}
</style>
<clipPath id="map"><rect width="${MAP.width}" height="${MAP.height}" rx="10"/></clipPath>
<g clip-path="url(#map)">
<rect width="${MAP.width}" height="${MAP.height}" fill="${palette.low}"/>
${land}
${cross}
<g fill="none" stroke-width="2.6" stroke-linejoin="round" stroke-linecap="round">
${racers.join("\n")}
</g>
<g stroke="${palette.card}" stroke-width="2">
${dots.join("\n")}
</g>
</g>
${legend.join("\n")}
</svg>
`;
}

function legendOf(name: PictureRacer, { distance }: Lane, left: number, palette: Palette): string {
  const [top, below] = [MAP.height + 24, MAP.height + 44];
  return `<rect x="${left}" y="${top - 7}" width="20" height="4" rx="2" fill="${palette[name]}"/>
<text x="${left + 28}" y="${top}" font-weight="600" fill="${palette.ink}">${racerTitles[name]}</text>
<text x="${left + 28}" y="${below}" fill="${palette.soft}" font-size="13">${distance.toFixed(2)} away after ${STEPS} steps</text>`;
}

/** Draws a racer and moves it: as far along its path at each moment as it was at that step. */
function styleOf(name: PictureRacer, { path }: Lane, { surface }: Race, palette: Palette): string {
  const { x, y } = mapScales(surface);
  const travelled = [0];
  path.slice(1).forEach((point, i) => {
    const before = path[i]!;
    travelled.push(travelled[i]! + Math.sqrt((point.x - before.x) ** 2 + (point.y - before.y) ** 2));
  });
  const whole = travelled.at(-1)!;
  const frames = Array.from({ length: KEYFRAMES + 1 }, (_, i) => {
    const step = Math.round((i * (path.length - 1)) / KEYFRAMES);
    const time = tenth(((100 * i) / KEYFRAMES) * (SECONDS / (SECONDS + HOLD_SECONDS)));
    const hidden = Math.round(1000 * (1 - travelled[step]! / whole)) / 1000;
    const { x: atX, y: atY } = path[step]!;
    return { time, hidden, move: `translate(${tenth(x(atX))}px,${tenth(y(atY))}px)` };
  });
  const last = frames.at(-1)!;
  const keyframes = (of: (frame: (typeof frames)[number]) => string) =>
    [...frames, { ...last, time: 100 }].map((frame) => `${frame.time}%{${of(frame)}}`).join("");
  const timing = `${SECONDS + HOLD_SECONDS}s linear infinite`;
  return `.${name}{stroke:${palette[name]}}
.${name}-dot{fill:${palette[name]};transform:${last.move}}
@media (prefers-reduced-motion:no-preference){
.${name}{stroke-dasharray:1;animation:${name} ${timing}}
.${name}-dot{animation:${name}-dot ${timing}}
}
@keyframes ${name}{${keyframes(({ hidden }) => `stroke-dashoffset:${hidden}`)}}
@keyframes ${name}-dot{${keyframes(({ move }) => `transform:${move}`)}}`;
}

/** Between two colours, as "#rrggbb". */
function mix(from: string, to: string, share: number): string {
  const channels = [1, 3, 5].map((at) => {
    const [a, b] = [from, to].map((color) => Number.parseInt(color.slice(at, at + 2), 16)) as [
      number,
      number,
    ];
    return Math.round(a + (b - a) * share)
      .toString(16)
      .padStart(2, "0");
  });
  return `#${channels.join("")}`;
}
