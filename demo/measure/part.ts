/** The measurement on the page. */
import { button, html, make } from "../page/dom.ts";
import { canShare } from "../page/isolation.ts";
import { Silence } from "../page/silence.ts";
import { copy } from "../use/part.ts";
import type { FromMeasurer, Measured, Task } from "./messages.ts";
import { resultText, rowsOf, type SizeRows } from "./table.ts";

/** Whether the build has found tf.js. */
declare const HAS_TFJS: boolean;

/** Each round tells, and takes a second at most, even on a machine that is busy. */
const SILENCE_SECONDS = 20;

export function startMeasuring(): void {
  const [run, tfjs, copyButton] = [button("measure-run"), button("measure-tfjs"), button("measure-copy")];
  const said = html("measure-said");
  const measured: Record<Task["ways"], Measured[]> = { own: [], tfjs: [] };
  const all = () => [...measured.own, ...measured.tfjs];

  const start = (task: Task) => {
    const isBusy = (busy: boolean) => {
      run.disabled = busy;
      tfjs.disabled = busy || !HAS_TFJS;
      copyButton.disabled = busy || all().length === 0;
    };
    measured[task.ways] = [];
    isBusy(true);
    said.textContent = "Starting";
    const worker = new Worker(new URL("measure-worker.js", import.meta.url), {
      type: "module",
      name: "measuring",
    });
    const end = (text: string) => {
      silence.end();
      worker.terminate();
      said.textContent = text;
      isBusy(false);
    };
    const silence = new Silence(SILENCE_SECONDS, () =>
      end(
        `Stopped: nothing was heard for ${SILENCE_SECONDS} seconds (last: “${said.textContent}”). A thread may have been refused; another browser, or a page without isolation headers, measures on one.`,
      ),
    );
    silence.expect();
    worker.onmessage = ({ data }: MessageEvent<FromMeasurer>) => {
      silence.expect();
      if (data.tell === "doing") said.textContent = data.what;
      else if (data.tell === "measured") {
        measured[task.ways].push(data);
        html("measure-results").replaceChildren(...rowsOf(all()).map(blockOf));
      } else if (data.tell === "done") end("Done: all results were right.");
      else end(`Stopped: ${data.why}`);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end(`Stopped: ${event.message || "the worker can’t be loaded"}`);
    };
    worker.postMessage(task);
  };

  run.addEventListener("click", () => start({ ways: "own" }));
  tfjs.addEventListener("click", () => start({ ways: "tfjs" }));
  copyButton.addEventListener("click", () => void copy(copyButton, resultText(all(), machine())));
  if (!HAS_TFJS) {
    tfjs.disabled = true;
    html("measure-tfjs-note").textContent =
      "This copy of the page was built without tf.js. To have it: npm ci --prefix bench/peers, and build again.";
  }
}

const machine = () => ({
  userAgent: navigator.userAgent,
  processors: navigator.hardwareConcurrency,
  crossOriginIsolated: canShare,
});

const checks = { bits: "same bits", formula: "right" } as const;

/** Two digits, or all in front of the point. */
const short = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));
const besideStep = (times: number) =>
  times >= 1 ? `${short(times)} times as long` : `${short(times)} of its time`;

function blockOf({ title, rows }: SizeRows): HTMLElement {
  const body = rows.map(({ way, title, nsPerElement, gbPerSecond, timesOfStep, share, check }) => {
    const bar = make("span", { class: `fill ${way}` });
    bar.style.width = `${100 * share}%`;
    return make(
      "tr",
      { "data-way": way },
      make("th", { scope: "row" }, title, make("span", { class: "checked" }, ` ✓ ${checks[check]}`)),
      make("td", { class: "meter" }, make("span", { class: "track" }, bar)),
      make("td", { class: "num ns" }, short(nsPerElement)),
      make("td", { class: "num gb" }, short(gbPerSecond)),
      make("td", { class: "num times" }, way === "step" ? "1" : besideStep(timesOfStep)),
    );
  });
  const heads = ["Way", "Throughput", "ns per element", "GB/s", "Beside step()"];
  return make(
    "div",
    {},
    make(
      "table",
      { class: "results" },
      make("caption", {}, title),
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...body),
    ),
  );
}
