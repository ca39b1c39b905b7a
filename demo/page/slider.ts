import { html, input } from "./dom.ts";

interface Scale {
  /** Translates the slider's position into its value, and back. */
  toValue(position: number): number;
  toPosition(value: number): number;
  format(value: number): string;
}

export interface Slider {
  value: number;
}

/** A slider of the page and the number beside it. Setting `value` moves it, and calls nobody. */
export function slider(id: string, scale: Scale, onInput: () => void): Slider {
  const range = input(id);
  const output = html(id).parentElement!.querySelector("output")!;
  let value = 0;
  const show = () => {
    output.textContent = scale.format(value);
    range.setAttribute("aria-valuetext", output.textContent);
  };
  range.addEventListener("input", () => {
    value = scale.toValue(range.valueAsNumber);
    show();
    onInput();
  });
  return {
    get value() {
      return value;
    },
    set value(next) {
      value = next;
      range.valueAsNumber = scale.toPosition(next);
      show();
    },
  };
}
