/** A time limit for workers that say nothing: a browser that refuses or stops one, or one of its own, doesn't always tell. */
export class Silence {
  #timer: ReturnType<typeof setInterval> | undefined;
  #seconds = 0;

  /** @param onSilence is called after so many seconds without a message. */
  constructor(
    readonly limitSeconds: number,
    readonly onSilence: () => void,
  ) {}

  /** From now on a message is expected. */
  expect(): void {
    this.#seconds = 0;
    // Counted by the second: a machine that has slept wakes to one tick, where a single timer would be over.
    this.#timer ??= setInterval(() => this.#tick(), 1000);
  }

  /** None is expected any longer. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    if (++this.#seconds < this.limitSeconds) return;
    this.end();
    this.onSilence();
  }
}
