/** `npm run soak`: thousands of people come, type and leave through broker restarts. */
import { runModule } from "./setup.js";

runModule("packages/teleportal/test/soak/soak.ts");
