/** Does not come to listening. */
import process from "node:process";

process.exit(7);
