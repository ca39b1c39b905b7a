/** The web site of the matrix: the workshop's files, under friendly and hard headers. */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { basename, extname, join, normalize } from "node:path";

const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** The headers of all that is served under `/name/…`. */
const POLICIES = {
  free: {},
  isolated: ISOLATED,
  "no-wasm": { "Content-Security-Policy": "script-src 'self'" },
  "no-blob": {
    ...ISOLATED,
    "Content-Security-Policy": "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'",
  },
} as const;

export type Policy = keyof typeof POLICIES;

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
};

/** Serves a folder as `/policy/path`. A page `x.html` that isn't there is made of `x.js`, which it loads as a module. */
export async function openSite(folder: string): Promise<{ url: string; close(): void }> {
  const server = createServer(({ url }, response) => {
    const [, policy, ...rest] = new URL(url!, "http://localhost").pathname.split("/");
    const path = join(folder, normalize(`/${rest.join("/")}`));
    const script = path.replace(/\.html$/, ".js");
    for (const header of Object.entries(POLICIES[policy as Policy] ?? {})) response.setHeader(...header);
    response.setHeader("Content-Type", TYPES[extname(path)] ?? "application/octet-stream");
    if (isFile(path)) createReadStream(path).pipe(response);
    else if (!isFile(script)) response.writeHead(404).end();
    else response.end(`<!doctype html><script type="module" src="${basename(script)}"></script>`);
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as { port: number };
  return { url: `http://localhost:${port}`, close: () => server.close() };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
