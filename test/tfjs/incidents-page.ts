/** In a browser: training while the backend changes, breaks or goes. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgpu";
import { rmsprop } from "rmsprop-wasm/tfjs";
import { report } from "./page-report.ts";

export interface Report {
  /** The values after three steps, or the error of a step or of `getWeights`. */
  outcomes: Record<string, number[] | string>;
  /** Those of the drop-in. */
  warnings: string[];
}

const warnings: string[] = [];
console.warn = (...parts) => {
  const text = parts.join(" ");
  if (text.includes("rmsprop")) warnings.push(text);
};

type Gl = { gpgpu: { gl: WebGL2RenderingContext } };
type Optimizer = ReturnType<typeof rmsprop>;

/** Three steps, the first on `backend`; `between` is called before the second. */
async function interrupted(
  backend: string,
  between: (optimizer: Optimizer, variable: tf.Variable) => unknown,
  { waits = true } = {},
): Promise<number[] | string> {
  if (!(await tf.setBackend(backend))) throw new Error(`There is no backend ${backend} here.`);
  const variable = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
  const optimizer = rmsprop({ lr: 0.1, momentum: 0.9, eps: 1e-3 });
  try {
    if (waits) await optimizer.ready;
    for (let step = 0; step < 3; step++) {
      if (step === 1) await between(optimizer, variable);
      tf.tidy(() => optimizer.applyGradients({ [variable.name]: tf.tensor1d([0.5, -1]) }));
    }
    return [...(await variable.data())];
  } catch (error) {
    return String(error);
  } finally {
    for (const used of [variable, optimizer]) used.dispose();
  }
}

/** Reads parameters and state, and so waits for all that the card was given to do before. */
async function readAll(optimizer: Optimizer, variable: tf.Variable): Promise<void> {
  const state = (await optimizer.getWeights()).map(({ tensor }) => tensor);
  await Promise.all([variable, ...state].map((one) => one.data()));
}

/** Puts a new backend of the same kind in the place of the old one. */
function renew(name: string): void {
  const factory = tf.findBackendFactory(name);
  tf.removeBackend(name);
  tf.registerBackend(name, factory);
}

async function loseContext(restore = false): Promise<void> {
  const { gl } = (tf.backend() as unknown as Gl).gpgpu;
  const extension = gl.getExtension("WEBGL_lose_context")!;
  const happened = (event: string) => new Promise((resolve) => gl.canvas.addEventListener(event, resolve));
  const lost = happened("webglcontextlost");
  extension.loseContext();
  await lost;
  if (!restore) return;
  // Restoring is allowed once all listeners have been called.
  await new Promise((resolve) => setTimeout(resolve));
  const restored = happened("webglcontextrestored");
  extension.restoreContext();
  await restored;
}

/** Another version of tf.js, or a driver at fault: programs give something else than they should. */
async function brokenWebgl(): Promise<number[] | string> {
  renew("webgl");
  await tf.setBackend("webgl");
  const backend = tf.backend() as unknown as { runWebGLProgram(program: { userCode: string }): unknown };
  const { runWebGLProgram } = backend;
  backend.runWebGLProgram = (program, ...others: unknown[]) => {
    const userCode = program.userCode.replace("setOutput(param)", "setOutput(param + 1.)");
    return runWebGLProgram.apply(backend, [{ ...program, userCode }, ...others] as never);
  };
  return interrupted("webgl", () => {});
}

async function brokenWebgpu(): Promise<number[] | string> {
  renew("webgpu");
  await tf.setBackend("webgpu");
  const backend = tf.backend() as unknown as { runWebGPUProgram(program: Program): unknown };
  const { runWebGPUProgram } = backend;
  backend.runWebGPUProgram = (program, ...others: unknown[]) => {
    const getUserCode = () => program.getUserCode().replace("= param;", "= param + 1.0;");
    const shaderKey = `${program.shaderKey}broken`;
    return runWebGPUProgram.apply(backend, [{ ...program, getUserCode, shaderKey }, ...others] as never);
  };
  return interrupted("webgpu", () => {});
}

interface Program {
  readonly shaderKey: string;
  getUserCode(): string;
}

async function run(): Promise<Report> {
  tf.env().set("WEBGL_CPU_FORWARD", false);
  const outcomes: Report["outcomes"] = {};
  for (const backend of ["webgl", "webgpu", "cpu"]) {
    outcomes[backend] = await interrupted(backend, () => {});
    for (const other of ["cpu", "webgl", "webgpu"].filter((name) => name !== backend)) {
      outcomes[`${backend}, then ${other}`] = await interrupted(backend, async (...used) => {
        // From webgpu, tf.js moves what nobody has read by way of a canvas, which ends Chromium's software renderer.
        if (backend === "webgpu") await readAll(...used);
        await tf.setBackend(other);
      });
    }
  }
  for (const backend of ["webgl", "webgpu"]) {
    renew(backend);
    outcomes[`${backend}, at once`] = await interrupted(backend, () => {}, { waits: false });
    renew(backend);
    outcomes[`${backend}, ready between`] = await interrupted(backend, ({ ready }) => ready, {
      waits: false,
    });
    renew(backend);
    outcomes[`${backend}, left before it is ready`] = await interrupted(
      backend,
      async (...used) => {
        await readAll(...used);
        await tf.setBackend("cpu");
      },
      { waits: false },
    );
    await tf.setBackend(backend);
    outcomes[`${backend}, come back to`] = await interrupted(backend, () => {});
  }
  outcomes["broken webgl"] = await brokenWebgl();
  outcomes["broken webgpu"] = await brokenWebgpu();

  for (const [name, act] of Object.entries({
    "lost context": () => loseContext(),
    "lost and restored context": () => loseContext(true),
    "lost context, then cpu": async () => {
      await loseContext();
      await tf.setBackend("cpu");
    },
    "lost context, then saved": async (optimizer: Optimizer) => {
      await loseContext();
      await optimizer.getWeights();
    },
  })) {
    renew("webgl");
    outcomes[name] = await interrupted("webgl", act);
  }
  renew("webgl");
  outcomes["after a lost context, anew"] = await interrupted("webgl", () => {});
  renew("webgpu");
  outcomes["lost device"] = await interrupted("webgpu", async () => {
    const { device } = tf.backend() as unknown as { device: { destroy(): void; lost: Promise<unknown> } };
    device.destroy();
    await device.lost;
  });
  return { outcomes, warnings };
}

report(run);
