export { sumOfSquares } from "./gradient";
export { innerProduct, move } from "./learned";
export { update } from "./rmsprop";
export { updateRows } from "./rows";
