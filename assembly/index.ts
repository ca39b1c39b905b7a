export { sumOfSquares } from "./gradient";
export { update } from "./rmsprop";
