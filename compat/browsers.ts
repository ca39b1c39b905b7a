/** Looks at pages with real browsers. */
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer, { ProtocolError, TimeoutError } from "puppeteer-core";
import { type Browser, tool } from "./tools.ts";

/** The browsers that run, by name and flags. */
const running = new Map<string, Awaited<ReturnType<typeof puppeteer.launch>>>();

const keyOf = (browser: Browser, flags: string[]) => [browser, ...flags].join(" ");

/**
 * Opens a page and waits for the value that it leaves in `globalThis.result`. A browser that no longer answers is ended, and
 * another one opens the page, once: Firefox, drawing WebGL without a card, stood still for every page in one run of the
 * tests. A page that gives no result or a wrong one isn't asked again.
 */
export async function visit(browser: Browser, url: string, flags: string[] = []): Promise<unknown> {
  try {
    return await visitOnce(browser, url, flags);
  } catch (error) {
    if (!(error instanceof ProtocolError || error instanceof TimeoutError)) throw error;
    console.warn(`${browser} no longer answers (${error.message}). Another one opens ${url}.`);
    running.get(keyOf(browser, flags))?.process()?.kill("SIGKILL");
    running.delete(keyOf(browser, flags));
    return await visitOnce(browser, url, flags);
  }
}

async function visitOnce(browser: Browser, url: string, flags: string[]): Promise<unknown> {
  const context = await (
    running.get(keyOf(browser, flags)) ?? (await launch(browser, { hasGraphics: true, flags }))
  ).createBrowserContext();
  try {
    const page = await context.newPage();
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    await page.goto(url);
    for (const end = Date.now() + 150_000; Date.now() < end; await sleep(20)) {
      // A debugger may evaluate whatever the page's policy forbids.
      const result = await page.evaluate("globalThis.result");
      if (result !== undefined) return result;
    }
    throw new Error(`${url} gives no result. Its console:\n${said.join("\n")}`);
  } finally {
    // Not awaited: in a browser that no longer answers it would end no sooner than the limit below.
    context.close().catch(() => {});
  }
}

/** A limit to each answer of a browser, in which a page may compute: less than half of a test's, for a second browser's sake. */
const ANSWER_MS = 120_000;

/** WebGL and WebGPU without a graphics card, by Chromium's own renderer. */
const SOFTWARE_GRAPHICS = [
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
];

/**
 * A browser that is closed with the others.
 *
 * @param options.flags Added to those that each browser here is started with.
 * @param options.hasGraphics With software graphics. Without them pages are drawn far sooner, so that their transitions end.
 */
export async function launch(browser: Browser, { hasGraphics = false, flags = [] as string[] } = {}) {
  const launched = await puppeteer.launch({
    browser: browser === "chromium" ? "chrome" : "firefox",
    executablePath: tool(browser).path,
    protocolTimeout: ANSWER_MS,
    // Firefox gives no WebGL on a renderer that it doesn't know, such as one without a card.
    extraPrefsFirefox: { "webgl.force-enabled": true },
    // A container's root can't have Chromium's sandbox, and it loads nothing but the matrix's own pages.
    args:
      browser === "chromium"
        ? [
            "--no-sandbox",
            "--disable-quic",
            ...(hasGraphics ? SOFTWARE_GRAPHICS : ["--disable-gpu"]),
            ...flags,
          ]
        : flags,
  });
  running.set(keyOf(browser, flags), launched);
  return launched;
}

export async function closeBrowsers(): Promise<void> {
  for (const browser of running.values()) await browser.close();
  running.clear();
}
