/** Looks at pages with real browsers. */
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer from "puppeteer-core";
import { type Browser, tool } from "./tools.ts";

/** By the browser's name and its flags. */
const running = new Map<string, Awaited<ReturnType<typeof puppeteer.launch>>>();

/** Opens a page and waits for what it leaves in `globalThis.result`. */
export async function visit(browser: Browser, url: string, flags: string[] = []): Promise<unknown> {
  const key = [browser, ...flags].join(" ");
  const context = await (running.get(key) ?? (await launch(browser, flags))).createBrowserContext();
  try {
    const page = await context.newPage();
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    await page.goto(url);
    for (const end = Date.now() + 30_000; Date.now() < end; await sleep(20)) {
      // What a page's policy has against eval doesn't concern a debugger.
      const result = await page.evaluate("globalThis.result");
      if (result !== undefined) return result;
    }
    throw new Error(`${url} gives no result. Its console:\n${said.join("\n")}`);
  } finally {
    await context.close();
  }
}

/** A browser that is closed with the others. */
export async function launch(browser: Browser, flags: string[] = []) {
  const launched = await puppeteer.launch({
    browser: browser === "chromium" ? "chrome" : "firefox",
    executablePath: tool(browser).path,
    // Without its sandbox, which a container's root can't have: all that it loads is ours.
    args: browser === "chromium" ? ["--no-sandbox", "--disable-gpu", "--disable-quic", ...flags] : flags,
  });
  running.set([browser, ...flags].join(" "), launched);
  return launched;
}

export async function closeBrowsers(): Promise<void> {
  for (const browser of running.values()) await browser.close();
  running.clear();
}
