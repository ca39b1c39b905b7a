/** The page's end of the training: its worker, and the weights as they are now. */
import { type Handle, RMSprop } from "rmsprop-wasm";
import { Silence } from "../page/silence.ts";
import type { FromWorker, Progress, ToWorker, Weights } from "./messages.ts";
import { type Digits, unpackDigits } from "./pack.ts";
import type { Method, Optimizer, Rates, SHAPES } from "./trainer.ts";

export interface Listener {
  onProgress(progress: Progress): void;
  onFinish(): void;
  /** The worker can't go on: its error, or its silence. */
  onFailure(why: string): void;
}

/** A slice of training takes a tenth of a second, and some time more on a machine that is busy. */
const SILENCE_SECONDS = 20;

export class Session {
  readonly #worker = new Worker(new URL("train-worker.js", import.meta.url), {
    type: "module",
    name: "training",
  });
  readonly #silence: Silence;
  /** Attached to the worker's, in the same memories. */
  #optimizers: Record<Method, Optimizer> | undefined;
  #copies: Record<Method, Weights | undefined> = { rmsprop: undefined, descent: undefined };
  /** Told "begin", it hasn't answered yet: what it says now is of the run before. */
  #isBeginning = true;
  #isRunning = false;
  /** Before the first step there is nothing to see but chance. */
  #hasLearnt = false;

  constructor(
    readonly digits: Digits,
    rates: Rates,
    listener: Listener,
  ) {
    const fail = (why: string) => {
      this.#silence.end();
      this.#worker.terminate();
      listener.onFailure(why);
    };
    this.#silence = new Silence(SILENCE_SECONDS, () =>
      fail(
        `The training’s worker has said nothing for ${SILENCE_SECONDS} seconds, and was stopped. Train starts another.`,
      ),
    );
    this.#worker.onerror = (event) => {
      event.preventDefault();
      fail(`The worker has failed: ${event.message || "it can’t be loaded"}.`);
    };
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      this.#isRunning &&= data.tell !== "finished";
      if (this.#isRunning) this.#silence.expect();
      else this.#silence.end();
      if (data.tell === "begun") {
        this.#isBeginning = false;
        const attach = (handle: Handle) => RMSprop.attach<typeof SHAPES>(handle);
        const { handles } = data;
        this.#optimizers = handles && { rmsprop: attach(handles.rmsprop), descent: attach(handles.descent) };
      } else if (this.#isBeginning) return;
      else if (data.tell === "finished") listener.onFinish();
      else {
        this.#hasLearnt = true;
        this.#copies = { rmsprop: data.runs.rmsprop.weights, descent: data.runs.descent.weights };
        listener.onProgress(data);
      }
    };
    this.#tell({ tell: "begin", rates, digits });
  }

  /** Read where the worker writes them, with nothing copied; or the copy it sent last. Undefined before it has learnt anything. */
  weightsOf(method: Method): Weights | undefined {
    return this.#hasLearnt ? (this.#optimizers?.[method].params ?? this.#copies[method]) : undefined;
  }

  set rates(rates: Rates) {
    this.#tell({ tell: "rates", rates });
  }

  set isRunning(wanted: boolean) {
    this.#isRunning = wanted;
    if (wanted) this.#silence.expect();
    this.#tell({ tell: "run", wanted });
  }

  startOver(rates: Rates): void {
    this.#isBeginning = true;
    this.#hasLearnt = false;
    this.#tell({ tell: "begin", rates });
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}

export async function loadDigits(): Promise<Digits> {
  const response = await fetch(new URL("digits.bin", import.meta.url));
  if (!response.ok) throw new Error(`The digits can’t be loaded: ${response.status} ${response.statusText}.`);
  const stream = (await response.blob()).stream().pipeThrough(new DecompressionStream("gzip"));
  return unpackDigits(new Uint8Array(await new Response(stream).arrayBuffer()));
}
