/** `npm run check`: what finds most mistakes within a minute. `npm test` is what CI asks for. */
import process from "node:process";
import { run, setUp } from "./setup.js";

const STEPS = [
  ["oxfmt", "--check", "."],
  ["oxlint", "--type-aware", "--deny-warnings"],
  ["tsc", "--noEmit"],
  ["knip"],
  [
    "vitest",
    "run",
    "packages/sync-core/test/replica",
    "packages/sync-core/test/transport",
    "packages/sync-core/test/wire",
    "packages/teleportal/test/document",
    "packages/teleportal/test/operations",
    "packages/teleportal/test/storage",
    "test/packages.test.ts",
  ],
];

setUp();
for (const [program, ...args] of STEPS) {
  console.log(`── ${[program, ...args.slice(0, 2)].join(" ")}`);
  if (run(program, args) !== 0) process.exit(1);
}
