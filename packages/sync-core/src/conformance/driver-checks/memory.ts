import type { DriverCheck } from "../check.ts";
import { eachInFlight } from "../in-flight.ts";
import { expectFlatMemory } from "../memory-growth.ts";

/** How often a channel is taken and given up between two looks at the memory. */
const ROUND = 500;

/** Per channel that was given up, in bytes; a handler and its channel's name need more. */
const LEFT_BEHIND = 200;

export const memoryChecks: readonly DriverCheck[] = [
  {
    subject: "driver",
    id: "memory/given-up-channels",
    level: "SHOULD",
    title: "channels that were given up leave nothing behind",
    requires: {},
    async run({ openUp, channel }) {
      const a = await openUp();
      let taken = 0;
      await expectFlatMemory(ROUND * LEFT_BEHIND, async () => {
        await eachInFlight(ROUND, async () => {
          const inbox = await a.subscribe(channel(`${"x".repeat(100)}${taken++}`));
          await inbox.unsubscribe();
        });
      });
    },
  },
];
