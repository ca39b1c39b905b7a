export { sumOfSquares } from "./gradient";
export { update } from "./rmsprop";
export { catchUpRows, updateRows } from "./rows";
