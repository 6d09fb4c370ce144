import type { BrokenDriver } from "./broken-driver.ts";

export const memoryMistakes: readonly BrokenDriver[] = [
  {
    title: "keeps something of every channel that it ever had",
    breaks(driver) {
      const statistics = new Map<string, { name: string; since: number; buffer: number[] }>();
      return {
        subscribe(channel, onBytes) {
          const buffer = Array.from({ length: 100 }, Math.random);
          statistics.set(channel, { name: channel, since: Date.now(), buffer });
          return driver.subscribe(channel, onBytes);
        },
      };
    },
    fails: ["memory/given-up-channels"],
  },
];
