export { sumOfSquares } from "./gradient";
export { report } from "./report";
export { update } from "./rmsprop";
