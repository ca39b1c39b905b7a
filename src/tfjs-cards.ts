/** The part of the drop-in that is loaded where tf.js's backend is on a graphics card. */
export { checkForLoss, openOnCard } from "./tfjs/cards.ts";
