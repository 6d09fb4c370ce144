/** `npm run fuzz`: broken bytes from clients and on the broker, and nobody else may notice. */
import { runModule } from "./setup.js";

runModule("packages/teleportal/test/fuzz/fuzz.ts");
