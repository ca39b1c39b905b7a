export { sumOfSquares } from "./gradient";
export { update } from "./rmsprop";
export { updateRows } from "./rows";
