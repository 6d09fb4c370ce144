/** `npm run runtimes`: the packed packages under Node, Bun and Deno, and with every major version of their clients. */
import { runModule } from "./setup.js";

runModule("test/packed/runtimes.ts");
