/**
 * A network in C, trained in place.
 *
 *     npm run example:c
 *
 * Read on in `network.c` (the network, its gradients, and an allocator), `network.ts` (the build) and
 * `../quadrants.ts` (`attach`: the only use of the optimizer).
 */
import { picture, train } from "../quadrants.ts";
import { HOW_TO_INSTALL, hasClang, loadNetwork } from "./network.ts";

if (hasClang()) {
  const network = await loadNetwork();
  const accuracy = train(network, console.log);
  console.log(`\n${picture(network.exports)}\n\n${(100 * accuracy).toFixed(1)} % of new points are right.`);
} else {
  console.error(HOW_TO_INSTALL);
  process.exitCode = 1;
}
