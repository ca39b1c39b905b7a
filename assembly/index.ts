export { sumOfSquares } from "./gradient";
export { innerProduct } from "./learned";
export { update } from "./rmsprop";
export { updateRows } from "./rows";
