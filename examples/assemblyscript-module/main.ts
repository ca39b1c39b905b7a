/**
 * A network on AssemblyScript's garbage-collected heap, trained in place.
 *
 *     npm run example:assemblyscript
 *
 * Read on in `assembly/network.ts` (the network and its gradients), `network.ts` (the compiler, and the allocator that
 * the optimizer is given) and `../quadrants.ts` (`attach`: the only use of the optimizer).
 */
import { picture, train } from "../quadrants.ts";
import { loadNetwork } from "./network.ts";

const network = await loadNetwork();
const accuracy = train(network, console.log);
console.log(`\n${picture(network.exports)}\n\n${(100 * accuracy).toFixed(1)} % of new points are right.`);
