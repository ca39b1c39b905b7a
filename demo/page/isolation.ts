/** The page's rights, which depend on the host's headers. */
import { html } from "./dom.ts";

/** Whether memory can be shared with workers. */
export const canShare = globalThis.crossOriginIsolated === true;

export const threadCount = canShare ? Math.min(navigator.hardwareConcurrency || 1, 64) : 1;

export function sayIsolation(): void {
  html("isolation").textContent = canShare
    ? `This page may share memory with its workers, and use ${threadCount === 1 ? "the one processor" : `all ${threadCount} processors`} of your machine.`
    : "Whoever serves this page sends no isolation headers, so memory can’t be shared: all runs on one thread, and workers send copies.";
}
