export { update } from "./rmsprop";
