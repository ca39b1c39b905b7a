/** Someone who visits the built page with a real browser, and notes what shouldn't be. */
import axe from "axe-core";
import type { Browser, Page } from "puppeteer-core";

export const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } };

export class Visitor {
  /** The console's lines, uncaught errors, and requests to other hosts. */
  readonly complaints: string[] = [];
  readonly requested: string[] = [];

  private constructor(readonly page: Page) {}

  static async to(
    address: string,
    browser: Browser,
    {
      size = "desktop",
      wantsStillness = false,
    }: { size?: keyof typeof SIZES; wantsStillness?: boolean } = {},
  ): Promise<Visitor> {
    const page = await browser.newPage();
    const visitor = new Visitor(page);
    page.on("console", (message) => visitor.complaints.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => visitor.complaints.push(`error: ${(error as Error).stack ?? error}`));
    page.on("request", (request) => {
      visitor.requested.push(request.url());
      if (!/^(blob:|data:)/.test(request.url()) && !request.url().startsWith(address)) {
        visitor.complaints.push(`request: ${request.url()}`);
      }
    });
    await page.setViewport(SIZES[size]);
    // Only Chromium tells of shifts.
    await page.evaluateOnNewDocument(() => {
      const shifts: { value: number; hadRecentInput: boolean }[] = [];
      Object.assign(globalThis, { shifts });
      if (!PerformanceObserver.supportedEntryTypes.includes("layout-shift")) return;
      new PerformanceObserver((list) =>
        shifts.push(...(list.getEntries() as unknown as typeof shifts)),
      ).observe({
        type: "layout-shift",
        buffered: true,
      });
    });
    // A clipboard that can be read: no browser lets a page read the real one unasked.
    await page.evaluateOnNewDocument(() => {
      const clipboard = {
        writeText: async (text: string) => void Object.assign(globalThis, { copied: text }),
      };
      Object.defineProperty(navigator, "clipboard", { value: clipboard });
    });
    if (wantsStillness) {
      // Firefox has no such switch for a page.
      await page.evaluateOnNewDocument(() => {
        const before = globalThis.matchMedia.bind(globalThis);
        globalThis.matchMedia = (query) => before(query.includes("reduced-motion") ? "all" : query);
      });
    }
    await page.goto(address);
    await page.waitForFunction(() => document.querySelector("#board tr") !== null);
    return visitor;
  }

  /** Scrolls to what is to be pressed, as people do. */
  async press(selector: string): Promise<void> {
    await this.page.$eval(selector, (element) =>
      element.scrollIntoView({ block: "center", behavior: "instant" }),
    );
    await this.page.click(selector);
  }

  text(selector: string): Promise<string> {
    return this.page.$eval(selector, (element) => element.textContent ?? "");
  }

  texts(selector: string): Promise<string[]> {
    return this.page.$$eval(selector, (elements) => elements.map((element) => element.textContent ?? ""));
  }

  /** Waits until an element's text is as wanted; an error says what it was instead. */
  async until(selector: string, wanted: (text: string) => boolean, timeoutMs = 150_000): Promise<string> {
    for (const end = Date.now() + timeoutMs; ; ) {
      const text = await this.text(selector);
      if (wanted(text)) return text;
      if (Date.now() > end) throw new Error(`${selector} still says "${text}".`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Moves a slider, as its keys would. */
  async slide(selector: string, position: number): Promise<void> {
    await this.page.$eval(
      selector,
      (element, position) => {
        (element as HTMLInputElement).valueAsNumber = position;
        element.dispatchEvent(new Event("input", { bubbles: true }));
      },
      position,
    );
  }

  copied(): Promise<string> {
    return this.page.evaluate(() => (globalThis as unknown as { copied: string }).copied);
  }

  /** The sum of all layout shifts that no input has caused. */
  shift(): Promise<number> {
    return this.page.evaluate(() => {
      const { shifts } = globalThis as unknown as { shifts: { value: number; hadRecentInput: boolean }[] };
      return shifts.reduce((sum, { value, hadRecentInput }) => sum + (hadRecentInput ? 0 : value), 0);
    });
  }

  /** Axe's findings that are serious or worse, in words. */
  async barriers(): Promise<string[]> {
    // A colour halfway through its change is none of the page's.
    await this.page.evaluate(async () => {
      const changes = document.getAnimations().filter((one) => one instanceof CSSTransition);
      await Promise.allSettled(changes.map(({ finished }) => finished));
    });
    await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate(() =>
      (globalThis as unknown as { axe: typeof axe }).axe.run({ resultTypes: ["violations"] }),
    );
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ help, nodes }) => `${help}: ${nodes.map(({ html }) => html).join(" ")}`);
  }
}
