/** What bin/teleportal.js does, from source. */
import { main } from "../../src/command/main.ts";

await main(process.argv.slice(2));
