import type { BrokenDriver } from "./broken-driver.ts";

export const loadMistakes: readonly BrokenDriver[] = [
  {
    title: "holds a thousand channels, and no more",
    breaks(driver) {
      let held = 0;
      return {
        async subscribe(channel, onBytes) {
          held += 1;
          if (held > 1000) return async () => {};
          const unsubscribe = await driver.subscribe(channel, onBytes);
          return async () => {
            held -= 1;
            await unsubscribe();
          };
        },
      };
    },
    fails: ["load/channels"],
  },
];
