import { reading } from "./broken-factory.ts";
import type { BrokenFactory } from "./broken-factory.ts";

export const convergenceMistakes: readonly BrokenFactory[] = [
  {
    title: "never repairs: requests are dropped",
    breaks: reading((message, forward) => {
      if (message.kind !== "request") forward(message);
    }),
    fails: [
      "delivery/messages-whole",
      "convergence/joining-late",
      "convergence/link-cut",
      "convergence/deletions-lost",
      "convergence/link-dark",
      "convergence/broker-restarted",
    ],
  },
  {
    title: "does not look whether its link is alive",
    options: { heartbeat: { interval: 60_000, deadline: 60_000, lease: 60_000 } },
    fails: ["convergence/link-dark"],
  },
];
