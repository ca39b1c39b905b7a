/** Programs that cells run: to their end, or as servers until the matrix is done. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const MINUTE = 60_000;
/** Keeps tools from asking questions and from calling home. */
const QUIET = {
  CI: "1",
  DENO_NO_UPDATE_CHECK: "1",
  NEXT_TELEMETRY_DISABLED: "1",
  WRANGLER_SEND_METRICS: "false",
};
const env = { ...process.env, ...QUIET };

/** Runs a command to its end and gives what it printed; rejects with all of it when it fails. */
export function runCommand([file, ...args]: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file!, args, { cwd, env, timeout: 2 * MINUTE, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${file} ${args.join(" ")} failed:\n${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}

const servers: ChildProcess[] = [];
process.on("exit", stopServers);

/** Starts a server on a free port, which its command is given, and gives its address once it answers. */
export async function startServer(
  command: (port: string) => readonly string[],
  cwd: string,
): Promise<string> {
  const port = await freePort();
  const [file, ...args] = command(String(port));
  // Detached, so that it and all that it starts are one group to end.
  const server = spawn(file!, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  servers.push(server);
  let printed = "";
  for (const stream of [server.stdout, server.stderr]) {
    stream.on("data", (text) => {
      printed += text;
    });
  }
  const address = `http://localhost:${port}`;
  for (const end = Date.now() + MINUTE; Date.now() < end; await sleep(100)) {
    if (server.exitCode !== null) break;
    const answers = await fetch(address).then(
      () => true,
      () => false,
    );
    if (answers) return address;
  }
  throw new Error(`${file} ${args.join(" ")} doesn't answer:\n${printed}`);
}

export function stopServers(): void {
  for (const { pid, exitCode } of servers.splice(0)) {
    if (pid !== undefined && exitCode === null) process.kill(-pid, "SIGKILL");
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Gives a server's answer, which must be JSON. */
export async function fetchJson(url: string): Promise<unknown> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${text.slice(0, 1000)}`);
  return JSON.parse(text);
}
