/** `npm run simulate -- --seeds 10000`: the engine against a broker that does everything wrong, in virtual time. */
import { runModule } from "./setup.js";

runModule("packages/teleportal/test/simulation/simulate.ts");
