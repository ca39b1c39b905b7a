/** The page's rights, which depend on the host's headers. */
import { html } from "./dom.ts";

/** Whether memory can be shared with workers. */
export const canShare = globalThis.crossOriginIsolated === true;

export const threadCount = canShare ? Math.min(navigator.hardwareConcurrency || 1, 64) : 1;

export function sayIsolation(): void {
  html("isolation").textContent = isolation();
}

function isolation(): string {
  if (!canShare) {
    return "The server of this page sends no isolation headers, so threads can’t share memory: all is measured on one.";
  }
  return threadCount === 1
    ? "This page may share memory with its workers, but the machine has one processor: all is measured on one thread."
    : `This page may share memory with its workers: ${threadCount} threads, one for each processor, are measured beside one.`;
}
