/** Runs a page in Chromium and hands back what it reports. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const path = (process.env.PATH ?? "")
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find(existsSync);

/** For `describeWith`. */
export const chromium = {
  name: "Chromium",
  isThere: path !== undefined,
  install: "apt-get install chromium",
};

/** What is served, by its path. */
export type Files = Readonly<Record<string, { type: string; body: string | Uint8Array }>>;

/**
 * Opens `/` of these files. The page posts a JSON value to `/report`, which ends it; `isolated` lets it share memory
 * between threads.
 */
export async function openInChromium(files: Files, { isolated = false } = {}): Promise<unknown> {
  const profile = mkdtempSync(join(tmpdir(), "chromium-"));
  const headers = isolated
    ? { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }
    : {};
  let browser: ReturnType<typeof spawn> | undefined;
  const server = createServer();
  try {
    return await new Promise((resolve, reject) => {
      server.on("request", async (request, response) => {
        const { url = "/" } = request;
        if (url === "/report") {
          let json = "";
          for await (const part of request) json += part;
          response.end();
          resolve(JSON.parse(json));
          return;
        }
        const file = files[url];
        response.writeHead(file ? 200 : 404, { ...headers, "content-type": file?.type ?? "text/plain" });
        response.end(file?.body);
      });
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo;
        browser = spawn(path!, [...FLAGS, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`], {
          stdio: "ignore",
          detached: true, // as a process group of its own
        });
        browser.on("error", reject);
        browser.on("exit", (code) =>
          reject(new Error(`Chromium ended with code ${code} before it reported.`)),
        );
      });
    });
  } finally {
    if (browser?.exitCode === null) {
      const gone = new Promise((resolve) => browser!.once("exit", resolve));
      // With all its helpers, which would go on writing to the profile.
      process.kill(-browser.pid!, "SIGKILL");
      await gone;
    }
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A graphics card of software, where there is none.
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
];
