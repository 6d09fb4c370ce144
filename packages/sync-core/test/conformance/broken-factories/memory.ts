import type { Message } from "@teleportal/sync-core";
import { changing } from "./broken-factory.ts";
import type { BrokenFactory } from "./broken-factory.ts";

export const memoryMistakes: readonly BrokenFactory[] = [
  {
    title: "keeps something of every document that it ever had",
    breaks(factory) {
      const statistics = new Map<string, number[]>();
      return {
        createTransport(documentId) {
          statistics.set(documentId, Array.from({ length: 5000 }, Math.random));
          return factory.createTransport(documentId);
        },
      };
    },
    fails: ["memory/closed-documents"],
  },
  {
    title: "buffers without a limit for a reader that does not read",
    options: { readableBytes: Number.POSITIVE_INFINITY },
    fails: ["memory/unread-transport"],
  },
  {
    title: "keeps everything while there is no link",
    breaks(factory) {
      const kept: Message[] = [];
      return changing(() => {
        return {
          write(message, forward) {
            kept.push(structuredClone(message));
            forward(message);
          },
        };
      })(factory);
    },
    fails: ["memory/unread-transport", "memory/no-link"],
  },
];
