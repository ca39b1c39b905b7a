/** The training on the page. */

import { PIXELS } from "../../examples/mnist/digits.ts";
import { chart } from "../page/chart.ts";
import { button, html, onChoice } from "../page/dom.ts";
import { whileSeen } from "../page/frames.ts";
import { canShare } from "../page/isolation.ts";
import { percent } from "../page/numbers.ts";
import { byPower } from "../page/scales.ts";
import { slider } from "../page/slider.ts";
import { Curves } from "./curves.ts";
import { Layers } from "./layers.ts";
import type { Progress } from "./messages.ts";
import { Pad } from "./pad.ts";
import { loadDigits, Session } from "./session.ts";
import { METHODS, type Method, type Rates } from "./trainer.ts";
import { Wall } from "./wall.ts";
import { brokenText } from "./words.ts";

/** Between two readings and pictures of the weights. */
const REFRESH_MS = 100;
const NOTHING = "–";
const HINT = "Move a rate while they train, and see its curve bend.";
const LINES = [{ color: "rmsprop" }, { color: "descent", dash: [6, 3] }];

export function startTraining(): void {
  /** The network that is looked into. */
  let shown: Method = "rmsprop";
  let session: Promise<Session> | undefined;
  let opened: Session | undefined;
  let curves = new Curves();
  let last: Progress | undefined;
  let isRunning = false;
  let sample = 0;

  const lossChart = chart(html("loss-chart"), { height: 220, curves: LINES });
  const accuracyChart = chart(html("accuracy-chart"), {
    height: 150,
    curves: LINES,
    range: (least) => [10 * Math.floor(least / 10), 100],
    format: (value) => `${value} %`,
  });
  const layers = new Layers();
  const wall = new Wall();
  const weights = () => opened?.weightsOf(shown);
  const pad = new Pad(weights);

  const change = () => {
    if (opened) opened.rates = rates();
  };
  const lr = slider("train-lr", byPower, change);
  const descentLr = slider("train-descent", byPower, change);
  lr.value = 1e-3;
  descentLr.value = 0.1;
  const rates = (): Rates => ({ rmsprop: lr.value, descent: descentLr.value });
  onChoice("train-method", (value) => {
    shown = value as Method;
    if (last) layers.update(last.runs[shown], shown);
  });

  const [runButton, againButton] = [button("train-run"), button("train-again")];
  const run = (wanted: boolean) => {
    isRunning = wanted;
    runButton.textContent = wanted ? "Pause" : "Train";
    if (opened) opened.isRunning = wanted;
  };
  /** Says what is wrong or over; without such a text, what can be done. */
  const say = (text: string) => {
    const said = html("train-said");
    // The same text again would be read to those who hear the page.
    if (said.textContent === (text || HINT)) return;
    said.textContent = text || HINT;
    said.classList.toggle("plain", text === "");
  };
  say("");
  const draw = () => {
    lossChart.draw(curves.steps, curves.loss.rmsprop, curves.loss.descent);
    accuracyChart.draw(curves.testSteps, curves.accuracy.rmsprop, curves.accuracy.descent);
  };
  /** A broken run wants a new start; where both are, nothing else is left to do. */
  const offer = (broken: number) => {
    againButton.classList.toggle("main", broken > 0);
    runButton.disabled = broken === METHODS.length;
  };
  const show = (progress: Progress) => {
    const { steps, imagesPerSecond, runs } = progress;
    last = progress;
    curves.add(progress);
    draw();
    layers.update(runs[shown], shown);
    html("train-steps").textContent = steps.toLocaleString("en");
    html("train-speed").textContent = Math.round(imagesPerSecond).toLocaleString("en");
    for (const method of METHODS) {
      const { accuracy } = runs[method];
      if (accuracy !== undefined) html(`accuracy-${method}`).textContent = percent(accuracy);
    }
    say(brokenText(runs));
    offer(METHODS.filter((method) => runs[method].broken).length);
  };

  /** Shows nothing of a run any longer. */
  const clear = () => {
    run(false);
    curves = new Curves();
    last = undefined;
    draw();
    layers.clear();
    say("");
    offer(0);
    html("train-steps").textContent = "0";
    for (const id of [...METHODS.map((method) => `accuracy-${method}`), "train-speed"]) {
      html(id).textContent = NOTHING;
    }
  };

  /** The digits and the worker, when they are first needed. */
  const open = () => {
    session ??= loadDigits().then((digits) => {
      opened = new Session(digits, rates(), {
        onProgress: show,
        onFinish() {
          run(false);
          const results = METHODS.map((method) => html(`accuracy-${method}`).textContent);
          say(
            brokenText(last!.runs) ||
              `Training has ended: RMSprop reads ${results[0]} right, gradient descent ${results[1]}.`,
          );
        },
        onFailure(why) {
          opened = session = undefined;
          clear();
          say(why);
        },
      });
      opened.isRunning = isRunning;
      return opened;
    });
    return session.catch((error) => {
      session = undefined;
      run(false);
      say(String(error.message));
      return undefined;
    });
  };

  runButton.addEventListener("click", () => {
    run(!isRunning);
    void open();
  });
  againButton.addEventListener("click", () => {
    clear();
    opened?.startOver(rates());
  });
  button("pad-sample").addEventListener("click", async () => {
    const { images, labels } = (await open())?.digits.test ?? {};
    if (!images || !labels) return;
    sample %= labels.length;
    pad.paste(images.subarray(sample * PIXELS, (sample + 1) * PIXELS), labels[sample]!);
    sample++;
  });

  html("train-sharing").textContent = canShare
    ? "Your drawing and the pictures are read from the very memory that the worker trains in; nothing is copied."
    : "Without isolation headers the worker sends copies of its weights.";
  let refreshed = -Infinity;
  whileSeen(html("train"), () => {
    if (performance.now() - refreshed < REFRESH_MS) return;
    refreshed = performance.now();
    pad.update();
    const seen = weights();
    if (seen) wall.update(seen);
  });
}
