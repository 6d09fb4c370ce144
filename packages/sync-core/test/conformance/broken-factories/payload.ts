import { reading } from "./broken-factory.ts";
import type { BrokenFactory } from "./broken-factory.ts";

export const payloadMistakes: readonly BrokenFactory[] = [
  {
    title: "drops messages of more than 1 MiB",
    breaks: reading((message, forward) => {
      if (message.frames.every(({ length }) => length <= 1024 * 1024)) forward(message);
    }),
    fails: ["payload/large-messages"],
  },
];
