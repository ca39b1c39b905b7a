/**
 * The harness in which tf.js's own tests run, bundled with them: Jasmine and, if asked for, the drop-in in the place of
 * `tf.train.rmsprop`.
 */
import * as tf from "@tensorflow/tfjs-core";
import { setTestEnvs } from "@tensorflow/tfjs-core/dist/jasmine_util";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
// @ts-expect-error: it has no types.
import jasmineRequire from "jasmine-core/lib/jasmine-core/jasmine.js";
import { type RMSPropOptions, rmsprop } from "rmsprop-wasm/tfjs";

/** The outcome of one test: its full name, and whether it passed. Tests that tf.js itself excludes are left out. */
export interface Outcome {
  name: string;
  passed: boolean;
}

interface Spec {
  fullName: string;
  status: string;
}

const jasmine = jasmineRequire.core(jasmineRequire);
const environment = jasmine.getEnv({ suppressLoadErrors: true });
Object.assign(globalThis, jasmineRequire.interface(jasmine, environment), { jasmine });
environment.configure({ random: false });
// Some of tf.js's tests go on when they are over, and fail on the wasm backend whichever the optimizer. Jasmine ends the
// process then: its handler throws.
const on = process.on.bind(process) as (event: string, handler: (...parts: unknown[]) => void) => unknown;
Object.assign(process, {
  on: (event: string, handler: (...parts: unknown[]) => void) =>
    on(event, (...parts) => {
      try {
        handler(...parts);
      } catch {}
    }),
});

/** Makes this backend the only one of the tests. */
export async function prepare(backendName: string): Promise<void> {
  setTestEnvs([{ name: backendName, backendName, isDataSync: true }]);
  await tf.setBackend(backendName);
}

/** Puts the drop-in in the place of `tf.train.rmsprop`, which `optimizer: "rmsprop"` calls too. */
export function takeTheDropIn(): void {
  Object.assign(tf.train, {
    rmsprop: (lr: number, alpha?: number, momentum?: number, eps?: number | null, centered?: boolean) =>
      rmsprop({ lr, alpha, momentum, eps: eps ?? undefined, centered } as RMSPropOptions),
  });
}

/** Runs the tests that have been imported. */
export async function run(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  environment.addReporter({
    specDone({ fullName, status }: Spec) {
      if (status === "passed" || status === "failed") {
        outcomes.push({ name: fullName, passed: status === "passed" });
      }
    },
  });
  await environment.execute();
  return outcomes;
}
