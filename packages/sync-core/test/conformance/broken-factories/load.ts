import { isPeerMessage } from "@teleportal/sync-core";
import { changeTransport } from "../changed-transport.ts";
import type { BrokenFactory } from "./broken-factory.ts";

export const loadMistakes: readonly BrokenFactory[] = [
  {
    title: "holds a hundred documents, and no more",
    breaks(factory) {
      let held = 0;
      return {
        async createTransport(documentId) {
          held += 1;
          const silent = held > 100;
          return changeTransport(await factory.createTransport(documentId), {
            read(message, forward) {
              if (!silent || !isPeerMessage(message)) forward(message);
            },
            async close(close) {
              held -= 1;
              await close();
            },
          });
        },
      };
    },
    fails: ["load/documents"],
  },
];
