/** Light and dark: as the system has it, until the visitor says otherwise. */
import { button } from "./dom.ts";

const system = matchMedia("(prefers-color-scheme: dark)");
const listeners: (() => void)[] = [];
const KEY = "theme";

/** Calls back whenever colours have changed: what is drawn on a canvas has to be drawn anew. */
export function onThemeChange(listener: () => void): void {
  listeners.push(listener);
}

/** A colour of the style sheet, as it is now, for a canvas. */
export function colorOf(name: string): string {
  probe ??= document.body.appendChild(document.createElement("span"));
  probe.hidden = true;
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}
let probe: HTMLElement | undefined;

export function startTheme(): void {
  const toggle = button("theme");
  const show = () => {
    const { dataset } = document.documentElement;
    const isDark = dataset.theme ? dataset.theme === "dark" : system.matches;
    toggle.setAttribute("aria-pressed", String(isDark));
    for (const listener of listeners) listener();
  };
  const chosen = remembered();
  if (chosen) document.documentElement.dataset.theme = chosen;
  toggle.addEventListener("click", () => {
    const next = toggle.getAttribute("aria-pressed") === "true" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    remember(next);
    show();
  });
  system.addEventListener("change", show);
  show();
}

// A browser that keeps nothing for this page throws.
function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {}
}
