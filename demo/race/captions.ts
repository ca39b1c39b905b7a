/** Captions of the landscapes. Their figures are those of the start that each begins with. */
import type { RacerName } from "./race.ts";
import type { SurfaceName } from "./surfaces.ts";

export const racerTitles: Record<RacerName, string> = {
  descent: "Gradient descent",
  adam: "Adam",
  rmsprop: "RMSprop",
};

export const captions: Record<SurfaceName, string> = {
  ravine:
    "A ravine: steep walls, and a floor that hardly slopes. Gradient descent bounces off the walls, then creeps, because its one constant has to be small enough for the walls. RMSprop forgets the walls within a hundred steps, and from then on walks along the floor.",
  saddle:
    "A pass between two basins. On its crest the ground is nearly flat, and who steps by the slope stands nearly still. RMSprop divides by how steep it has been, so that a faint slope makes as long a step as a strong one: it leaves while the other is still waiting.",
  bowl: "Two hundred times as steep in one direction as in the other. Gradient descent jumps from side to side and crawls along. For RMSprop both directions are alike: its path is nearly what it would be in a round bowl. At the bottom it trembles by the learning rate; that is why schedules lower it at the end.",
  noisy:
    "The slope is told wrongly at each step, as it is when a network sees a few examples at a time, and now and then very wrongly. Gradient descent is flung about in proportion. RMSprop’s step along an axis is never longer than some three times its learning rate, whatever it is told. None of them comes to rest: for that the learning rate has to sink.",
};
