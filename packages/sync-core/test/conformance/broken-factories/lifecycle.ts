import { isPeerMessage } from "@teleportal/sync-core";
import type { Message } from "@teleportal/sync-core";
import { changeTransport } from "../changed-transport.ts";
import { subscribesLate } from "../late-subscription.ts";
import { leaveRunning } from "../left-running.ts";
import { changing } from "./broken-factory.ts";
import type { BrokenFactory } from "./broken-factory.ts";

export const lifecycleMistakes: readonly BrokenFactory[] = [
  {
    title: "resolves `createTransport` before the subscription is live, if the id ends in 49",
    breaksDriver: (driver) => ({ subscribe: subscribesLate(driver, "49") }),
    fails: ["lifecycle/live-when-created", "load/documents"],
  },
  {
    title: "ends every transport of a document with the first of them",
    breaks(factory) {
      const writers = new Map<string, Set<WritableStreamDefaultWriter<Message>>>();
      return {
        async createTransport(documentId) {
          const { readable, writable } = await factory.createTransport(documentId);
          const writer = writable.getWriter();
          const ofDocument = writers.get(documentId) ?? new Set();
          writers.set(documentId, ofDocument.add(writer));
          return {
            readable,
            writable: new WritableStream<Message>({
              write: (message) => writer.write(message),
              async close() {
                writers.delete(documentId);
                await Promise.allSettled([...ofDocument].map((one) => one.close()));
              },
            }),
          };
        },
      };
    },
    fails: ["lifecycle/counted"],
  },
  {
    title: "drops what was written right before the close",
    breaks: changing(() => {
      let closing = false;
      return {
        write(message, forward) {
          setImmediate(() => {
            if (!closing) forward(message);
          });
        },
        close(close) {
          closing = true;
          return close();
        },
      };
    }),
    fails: ["lifecycle/closed-after-sending"],
  },
  {
    title: "goes on reading after the close",
    breaks: changing(() => ({ close: async () => {} })),
    fails: [
      "lifecycle/closed-after-sending",
      "lifecycle/closed-is-over",
      "memory/closed-documents",
    ],
  },
  {
    title: "knows a cancelled transport for ever",
    breaks(factory) {
      const dead = new Set<string>();
      return {
        async createTransport(documentId) {
          const transport = await factory.createTransport(documentId);
          const silent = dead.has(documentId);
          return changeTransport(transport, {
            read(message, forward) {
              if (!silent) forward(message);
            },
            async cancel(cancel) {
              dead.add(documentId);
              await cancel();
            },
          });
        },
      };
    },
    fails: ["lifecycle/cancelled", "errors/reader-fails"],
  },
  {
    title: "gives up the subscription that another transport has just taken",
    breaks(factory) {
      const openings = new Map<string, number>();
      return {
        async createTransport(documentId) {
          const opening = (openings.get(documentId) ?? 0) + 1;
          openings.set(documentId, opening);
          const transport = await factory.createTransport(documentId);
          return changeTransport(transport, {
            read(message, forward) {
              if (openings.get(documentId) === opening || !isPeerMessage(message)) forward(message);
            },
            async close(close) {
              if (openings.get(documentId) !== opening) openings.set(documentId, 0);
              await close();
            },
          });
        },
      };
    },
    fails: ["lifecycle/counted", "lifecycle/opened-again", "errors/reader-fails"],
  },
  {
    title: "cannot be closed twice",
    breaks(factory) {
      let closed = false;
      return {
        async close() {
          if (closed) throw new Error("already closed");
          closed = true;
          await factory.close();
        },
      };
    },
    fails: ["lifecycle/factory-closed"],
  },
  {
    title: "makes transports that do nothing once it is closed",
    breaks(factory) {
      let closed = false;
      return {
        createTransport: async (documentId) =>
          closed
            ? { readable: new ReadableStream(), writable: new WritableStream() }
            : factory.createTransport(documentId),
        close() {
          closed = true;
          return factory.close();
        },
      };
    },
    fails: ["lifecycle/factory-refuses"],
  },
  {
    title: "closes the connection that all factories of the process share",
    breaks(factory, process) {
      process.add(factory);
      return {
        async close() {
          const all = [...process];
          process.clear();
          await Promise.all(all.map((one) => one.close()));
        },
      };
    },
    fails: ["lifecycle/factory-spares-others"],
  },
  {
    title: "leaves a timer running",
    breaks(factory) {
      leaveRunning(() => factory);
      return {};
    },
    fails: ["lifecycle/factory-no-handle"],
  },
  {
    title: "closes the caller's client",
    closesCallersClient: true,
    fails: ["lifecycle/callers-client"],
  },
];
