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
import type { Method, Settings } from "./trainer.ts";
import { Wall } from "./wall.ts";

/** Between two readings and pictures of the weights. */
const REFRESH_MS = 100;

export function startTraining(): void {
  let method: Method = "rmsprop";
  let session: Promise<Session> | undefined;
  let opened: Session | undefined;
  let curves = new Curves();
  let isRunning = false;
  let sample = 0;

  const lossChart = chart(html("loss-chart"), {
    height: 220,
    curves: [{ color: "rmsprop" }, { color: "descent", dash: [6, 3] }],
  });
  const accuracyChart = chart(html("accuracy-chart"), {
    height: 150,
    curves: [{ color: "good" }],
    range: (least) => [10 * Math.floor(least / 10), 100],
    format: (value) => `${value} %`,
  });
  const layers = new Layers();
  const wall = new Wall();
  const pad = new Pad(() => opened?.weights);

  const change = () => {
    if (opened) opened.settings = settings();
  };
  const lr = slider("train-lr", byPower, change);
  const descentLr = slider("train-descent", byPower, change);
  lr.value = 1e-3;
  descentLr.value = 0.01;
  const settings = (): Settings => ({ method, lr: lr.value, descentLr: descentLr.value });
  onChoice("train-method", (value) => {
    method = value as Method;
    change();
  });

  const runButton = button("train-run");
  const run = (wanted: boolean) => {
    isRunning = wanted;
    runButton.textContent = wanted ? "Pause" : "Train";
    if (opened) opened.isRunning = wanted;
  };
  const draw = () => {
    lossChart.draw(curves.steps, curves.loss.rmsprop, curves.loss.descent);
    accuracyChart.draw(curves.testSteps, curves.accuracy);
  };
  const show = (progress: Progress) => {
    curves.add(progress);
    draw();
    layers.update(progress);
    html("train-steps").textContent = progress.steps.toLocaleString("en");
    html("train-speed").textContent = Math.round(progress.imagesPerSecond).toLocaleString("en");
    if (progress.accuracy !== undefined) html("train-accuracy").textContent = percent(progress.accuracy);
  };

  /** The digits and the worker, when they are first needed. */
  const open = () => {
    session ??= loadDigits().then((digits) => {
      opened = new Session(digits, settings(), {
        onProgress: show,
        onFinish() {
          run(false);
          html("train-said").textContent =
            `Training has ended: ${html("train-accuracy").textContent} read right.`;
        },
      });
      opened.isRunning = isRunning;
      return opened;
    });
    return session.catch((error) => {
      session = undefined;
      run(false);
      html("train-said").classList.remove("unseen");
      html("train-said").textContent = String(error.message);
      return undefined;
    });
  };

  runButton.addEventListener("click", () => {
    run(!isRunning);
    void open();
  });
  button("train-again").addEventListener("click", () => {
    run(false);
    curves = new Curves();
    draw();
    layers.clear();
    html("train-steps").textContent = "0";
    for (const id of ["train-accuracy", "train-speed"]) html(id).textContent = "–";
    opened?.startOver(settings());
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
    if (opened?.weights) wall.update(opened.weights);
  });
}
