/** Work of each frame, for what is on the screen. */

const motion = matchMedia("(prefers-reduced-motion: reduce)");

/** Whether the visitor wants things to stand still. */
export const wantsStillness = (): boolean => motion.matches;

/** Calls back in each frame in which the element can be seen. */
export function whileSeen(element: Element, onFrame: () => void): void {
  let isSeen = false;
  let isPending = false;
  const schedule = () => {
    if (!isSeen || isPending) return;
    isPending = true;
    requestAnimationFrame(() => {
      isPending = false;
      if (isSeen) onFrame();
      schedule();
    });
  };
  new IntersectionObserver((entries) => {
    isSeen = entries.at(-1)!.isIntersecting;
    schedule();
  }).observe(element);
}
