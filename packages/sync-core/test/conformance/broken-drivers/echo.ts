import type { BrokenDriver } from "./broken-driver.ts";

export const echoMistakes: readonly BrokenDriver[] = [
  {
    title: "echoes itself, although it says that it does not",
    declares: { echo: "never" },
    breaks: () => ({}),
    fails: ["delivery/receivers-counted", "echo/never", "recovery/dark"],
  },
  {
    title: "does not echo itself, although it says that it does",
    broker: { echo: "never" },
    declares: { echo: "always" },
    breaks: () => ({}),
    fails: ["delivery/receivers-counted", "echo/always"],
  },
];
