/** The page's end of the training: its worker, and the weights as they are now. */
import { RMSprop } from "rmsprop-wasm";
import type { FromWorker, Progress, ToWorker, Weights } from "./messages.ts";
import { type Digits, unpackDigits } from "./pack.ts";
import type { Optimizer, Settings, SHAPES } from "./trainer.ts";

export interface Listener {
  onProgress(progress: Progress): void;
  onFinish(): void;
}

export class Session {
  readonly #worker = new Worker(new URL("train-worker.js", import.meta.url), {
    type: "module",
    name: "training",
  });
  /** Attached to the worker's, in the same memory. */
  #optimizer: Optimizer | undefined;
  #copy: Weights | undefined;
  /** Told "begin", it hasn't answered yet: what it says now is of the run before. */
  #isBeginning = true;
  /** Before the first step there is nothing to see but chance. */
  #hasLearnt = false;

  constructor(
    readonly digits: Digits,
    settings: Settings,
    listener: Listener,
  ) {
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.tell === "begun") {
        this.#isBeginning = false;
        this.#optimizer = data.handle && RMSprop.attach<typeof SHAPES>(data.handle);
      } else if (this.#isBeginning) return;
      else if (data.tell === "finished") listener.onFinish();
      else {
        this.#hasLearnt = true;
        this.#copy = data.weights;
        listener.onProgress(data);
      }
    };
    this.#tell({ tell: "begin", settings, digits });
  }

  /** Read where the worker writes them, with nothing copied; or the copy it sent last. Undefined before it has learnt anything. */
  get weights(): Weights | undefined {
    return this.#hasLearnt ? (this.#optimizer?.params ?? this.#copy) : undefined;
  }

  set settings(settings: Settings) {
    this.#tell({ tell: "settings", settings });
  }

  set isRunning(wanted: boolean) {
    this.#tell({ tell: "run", wanted });
  }

  startOver(settings: Settings): void {
    this.#isBeginning = true;
    this.#hasLearnt = false;
    this.#tell({ tell: "begin", settings });
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
