/** The settings, as sliders. */
import { dialects } from "rmsprop-wasm";
import { element, input, make } from "../page/dom.ts";
import { byPower, decay, plain } from "../page/scales.ts";
import { slider } from "../page/slider.ts";
import type { RaceSettings } from "./racers.ts";

type Dialect = keyof typeof dialects;

/** Names of the dialects, as their authors write them. */
const titles: Record<Dialect, string> = {
  pytorch: "PyTorch, our default",
  keras: "Keras 3",
  tensorflow1: "TensorFlow 1",
  tfjs: "TensorFlow.js",
  optax: "Optax",
  timm: "timm",
  mlx: "MLX",
  graves2013: "Graves 2013",
  dqn: "DeepMind’s DQN",
};

/** Settings that a dialect leaves as the library has them. */
const basis = {
  epsInsideSqrt: false,
  lrInMomentum: false,
  decoupledWeightDecay: false,
  initialSquareAvg: 0,
  centered: false,
  momentum: 0,
};

const OWN = "own";

export class Knobs {
  readonly #dialect = element("race-dialect", HTMLSelectElement);
  readonly #centered = input("race-centered");
  readonly #lr;
  readonly #alpha;
  readonly #eps;
  readonly #momentum;
  readonly #descent;
  /** Settings of the dialect that no slider shows. */
  #rest: RaceSettings["rmsprop"] = {};

  constructor(onChange: (settings: RaceSettings) => void) {
    const change = () => onChange(this.settings);
    const changeOwn = () => {
      this.#dialect.value = OWN;
      change();
    };
    this.#lr = slider("race-lr", byPower, change);
    this.#alpha = slider("race-alpha", decay, changeOwn);
    this.#eps = slider("race-eps", byPower, changeOwn);
    this.#momentum = slider("race-momentum", plain, changeOwn);
    this.#descent = slider("race-descent", byPower, change);
    this.#centered.addEventListener("change", changeOwn);
    for (const [name, title] of Object.entries(titles)) {
      this.#dialect.append(make("option", { value: name }, title));
    }
    this.#dialect.append(make("option", { value: OWN, hidden: "" }, "your own"));
    this.#dialect.addEventListener("change", () => {
      this.dialect = this.#dialect.value as Dialect;
      change();
    });
  }

  get settings(): RaceSettings {
    return {
      rmsprop: {
        ...this.#rest,
        lr: this.#lr.value,
        alpha: this.#alpha.value,
        eps: this.#eps.value,
        momentum: this.#momentum.value,
        centered: this.#centered.checked,
      },
      descentLr: this.#descent.value,
    };
  }

  /** Sets all but the learning rate, which fits the landscape. */
  set dialect(name: Dialect) {
    const { lr, ...dialect } = { lr: undefined, ...basis, ...dialects[name] };
    const { alpha, eps, momentum, centered, ...rest } = dialect;
    this.#dialect.value = name;
    this.#alpha.value = alpha;
    this.#eps.value = eps;
    this.#momentum.value = momentum;
    this.#centered.checked = centered;
    this.#rest = rest;
  }

  set rates({ lr, descentLr }: { lr: number; descentLr: number }) {
    this.#lr.value = lr;
    this.#descent.value = descentLr;
  }
}
