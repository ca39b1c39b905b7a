/** Looks at pages with real browsers. */
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer from "puppeteer-core";
import { type Browser, tool } from "./tools.ts";

/** The browsers that run, by name and flags. */
const running = new Map<string, Awaited<ReturnType<typeof puppeteer.launch>>>();

/** Opens a page and waits for the value that it leaves in `globalThis.result`. */
export async function visit(browser: Browser, url: string, flags: string[] = []): Promise<unknown> {
  const key = [browser, ...flags].join(" ");
  const context = await (
    running.get(key) ?? (await launch(browser, { hasGraphics: true, flags }))
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
    await context.close();
  }
}

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
  running.set([browser, ...flags].join(" "), launched);
  return launched;
}

export async function closeBrowsers(): Promise<void> {
  for (const browser of running.values()) await browser.close();
  running.clear();
}
