/** Cells of pages whose module scripts load the package's own files, with no bundler, under friendly and hard headers. */
import type { Options } from "rmsprop-wasm";
import { visit } from "./browsers.ts";
import { type Cell, type Expected, FLOAT64, inAddress, JS, ONE_THREAD, TWO_THREADS, WASM } from "./cell.ts";
import { DIGEST_OF_FLOAT64 } from "./digest.ts";
import type { Policy } from "./site.ts";
import { BROWSER_NAMES, BROWSERS, type Browser } from "./tools.ts";
import type { Workshop } from "./workshop.ts";

interface Page {
  place: string;
  way: string;
  /** The name of the fixture's script. */
  script: string;
  options?: Options;
  policy?: Policy;
  expects?: Expected;
  /** Added to the browser's. */
  flags?: string[];
  digest?: string;
}

const threads = { threads: 2 };

const friendly = (place: string): Page[] => [
  { place, way: "page", script: "page" },
  { place, way: "worker", script: "worker" },
  { place, way: "blob worker", script: "blob-worker" },
  { place, way: "`threads: 2`", script: "page", options: threads, policy: "isolated", expects: TWO_THREADS },
  { place, way: FLOAT64, script: "f64", digest: DIGEST_OF_FLOAT64 },
];

const eightLanes: Page[] = friendly("Chromium with eight lanes")
  .filter(({ way }) => way === "page" || way === "`threads: 2`")
  .map((page) => ({ ...page, flags: ["--js-flags=--wasm-revectorize"] }));

const noWasm = { place: "CSP without `wasm-unsafe-eval`", policy: "no-wasm" } as const;
const noBlob = { place: "CSP without `blob:` workers", policy: "no-blob" } as const;
const webkit = { place: "Page without what WebKit lacks", script: "webkit" } as const;
const hard: Page[] = [
  { ...webkit, way: "page, files in streams" },
  { ...webkit, way: "`threads: 2`", options: threads, policy: "isolated", expects: TWO_THREADS },
  { place: "Page that isn't cross-origin isolated", way: ONE_THREAD, script: "page", options: threads },
  { ...noBlob, way: ONE_THREAD, script: "page", options: threads },
  { ...noWasm, way: "`rmsprop-wasm`", script: "page", expects: JS },
  { ...noWasm, way: "`rmsprop-wasm/js`", script: "js-entry", expects: JS },
  {
    ...noWasm,
    way: '`backend: "wasm"`',
    script: "page",
    options: { backend: "wasm" },
    expects: { error: "BackendError" },
  },
];

export function pageCells(workshop: Workshop, site: string): Cell[] {
  const cell = (
    browser: Browser,
    { place, way, script, options = {}, policy = "free", expects = WASM, flags, digest }: Page,
  ): Cell => ({
    place,
    way,
    browser,
    tools: [browser],
    expects,
    ...(digest && { digest }),
    async run() {
      await workshop.project("pages");
      return visit(browser, `${site}/${policy}/pages/${script}.html${inAddress(options)}`, flags);
    },
  });
  return [
    ...BROWSERS.flatMap((browser) => friendly(BROWSER_NAMES[browser]).map((page) => cell(browser, page))),
    ...eightLanes.map((page) => cell("chromium", page)),
    ...hard.flatMap((page) => BROWSERS.map((browser) => cell(browser, page))),
  ];
}
