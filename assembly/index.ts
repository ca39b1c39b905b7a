export { sumOfSquares } from "./gradient";
export { innerProduct } from "./learned";
export { updateRows } from "./rows";
export { update } from "./update";
