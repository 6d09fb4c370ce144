import type { Message } from "@teleportal/sync-core";
import { changing } from "./broken-factory.ts";
import type { BrokenFactory } from "./broken-factory.ts";

export const errorsMistakes: readonly BrokenFactory[] = [
  {
    title: "dies on foreign bytes",
    breaksDriver: (driver) => ({
      subscribe(channel, onBytes) {
        let dead = false;
        return driver.subscribe(channel, (bytes) => {
          dead ||= bytes[0] !== 0x54;
          if (!dead) onBytes(bytes);
        });
      },
    }),
    fails: ["errors/foreign-bytes"],
  },
  {
    title: "ends all transports when one reader fails",
    breaks(factory) {
      let failed = false;
      return changing(() => ({
        read(message, forward) {
          if (!failed) forward(message);
        },
        cancel(cancel) {
          failed = true;
          return cancel();
        },
      }))(factory);
    },
    fails: ["lifecycle/cancelled", "errors/reader-fails"],
  },
  {
    title: "waits for each reader before it reads on, for all documents",
    breaks(factory) {
      const blocked = new Set<object>();
      return {
        async createTransport(documentId) {
          const transport = await factory.createTransport(documentId);
          const reader = transport.readable.getReader();
          let taken: () => void = () => {};
          const self = {};
          return {
            writable: transport.writable,
            readable: new ReadableStream<Message>(
              {
                async pull(controller) {
                  taken();
                  blocked.delete(self);
                  const { done, value } = await reader.read();
                  if (done) {
                    controller.close();
                    return;
                  }
                  blocked.add(self);
                  while ([...blocked].some((one) => one !== self)) {
                    await new Promise((resolve) => setTimeout(resolve, 5));
                  }
                  controller.enqueue(value);
                },
                cancel: () => reader.cancel(),
              },
              { highWaterMark: 1 },
            ),
          };
        },
      };
    },
    fails: [
      "errors/reader-fails",
      "errors/unread-transport",
      "load/documents",
      "memory/unread-transport",
    ],
  },
];
