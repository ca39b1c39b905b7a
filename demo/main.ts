/** The page: its parts are on their own, and know nothing of each other. */
import { startMeasuring } from "./measure/part.ts";
import { sayIsolation } from "./page/isolation.ts";
import { startTheme } from "./page/theme.ts";
import { startRace } from "./race/part.ts";
import { startTraining } from "./train/part.ts";
import { startCopying } from "./use/part.ts";

sayIsolation();
startRace();
startTraining();
startMeasuring();
startCopying();
// Last: it tells those above of the colours.
startTheme();
