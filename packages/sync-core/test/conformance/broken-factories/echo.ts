import { changeTransport } from "../changed-transport.ts";
import type { BrokenFactory } from "./broken-factory.ts";

export const echoMistakes: readonly BrokenFactory[] = [
  {
    title: "gives the writer its own messages back",
    breaks: (factory) => ({
      async createTransport(documentId) {
        const changed = changeTransport(await factory.createTransport(documentId), {
          write(message, forward) {
            forward(message);
            changed.echo(message);
          },
        });
        return changed;
      },
    }),
    fails: [
      "echo/not-to-the-writer",

      "memory/unread-transport",
      "memory/no-link",
    ],
  },
];
