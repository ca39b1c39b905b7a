/** Buttons that copy the text of an element. */
import { html } from "../page/dom.ts";

const SHOWN_MS = 1600;

export function startCopying(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copies]")) {
    const source = html(button.dataset.copies!);
    button.addEventListener("click", () => copy(button, source.textContent));
  }
}

/** Puts a text on the clipboard, and says on the button whether that worked. */
export async function copy(button: HTMLButtonElement, text: string): Promise<void> {
  const title = button.dataset.title ?? button.textContent;
  button.dataset.title = title;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // There is no secure context, or the visitor has refused.
    button.textContent = "The browser refuses";
  }
  setTimeout(() => {
    button.textContent = title;
  }, SHOWN_MS);
}
