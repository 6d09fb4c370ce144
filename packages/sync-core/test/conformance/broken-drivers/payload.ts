import type { BrokenDriver } from "./broken-driver.ts";

export const payloadMistakes: readonly BrokenDriver[] = [
  {
    title: "states no limit",
    declares: { maxPayload: Number.POSITIVE_INFINITY },
    breaks: () => ({}),
    fails: ["payload/limit-stated"],
  },
  {
    title: "truncates what is larger than it says it can carry",
    declares: { maxPayload: 64 * 1024 },
    breaks: (driver) => ({
      publish: (channel, bytes) => driver.publish(channel, bytes.subarray(0, 60_000)),
    }),
    fails: ["ordering/sizes", "payload/at-the-limit", "payload/sizes"],
  },
];
