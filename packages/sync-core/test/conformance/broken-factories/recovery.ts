import { isPeerMessage } from "@teleportal/sync-core";
import { changeTransport } from "../changed-transport.ts";
import { changing } from "./broken-factory.ts";
import type { BrokenFactory } from "./broken-factory.ts";

export const recoveryMistakes: readonly BrokenFactory[] = [
  {
    title: "says nothing of the link",
    breaks: changing(() => ({
      read(message, forward) {
        if (isPeerMessage(message)) forward(message);
      },
    })),
    fails: ["recovery/signals"],
  },
  {
    title: "waits for the broker in `createTransport`",
    options: { brokerTimeout: 60_000 },
    breaksDriver: (driver) => ({
      watch: (listener) =>
        driver.watch((connection) => {
          // Only what has been up can be down.
          if (connection.state === "up" || String(connection.cause) !== "Error: no way there") {
            listener(connection);
          }
        }),
    }),
    fails: ["recovery/no-broker-at-first"],
  },
  {
    title: "waits for the broker in `close`",
    breaks(factory) {
      let down = false;
      return {
        createTransport: async (documentId) =>
          changeTransport(await factory.createTransport(documentId), {
            read(message, forward) {
              down = message.kind === "down" || (down && message.kind !== "up");
              forward(message);
            },
          }),
        async close() {
          await new Promise((resolve) => setImmediate(resolve));
          if (down) await new Promise(() => {});
          await factory.close();
        },
      };
    },
    fails: ["recovery/factory-closed-while-down"],
  },
];
