/** Serves the built page, with the headers that let it share memory between threads. */
import { createServer } from "node:http";
import sirv from "sirv";

const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/**
 * @param {string} folder
 * @param {{ port?: number, isIsolated?: boolean }} [options] Without a port, one that is free.
 */
export async function serveDemo(folder, { port = 0, isIsolated = true } = {}) {
  const files = sirv(folder, {
    dev: true,
    setHeaders(response) {
      if (isIsolated) for (const header of Object.entries(ISOLATED)) response.setHeader(...header);
    },
  });
  const server = createServer((request, response) =>
    files(request, response, () => void response.writeHead(404).end()),
  );
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => resolve(undefined));
  });
  const { port: given } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    address: `http://localhost:${given}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
