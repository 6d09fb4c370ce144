import { isPeerMessage } from "@teleportal/sync-core";
import type {
  Message,
  PeerMessage,
  ServerSyncTransportFactory,
  SyncDriver,
  SyncTransportOptions,
} from "@teleportal/sync-core";
import type { Check } from "@teleportal/sync-core/conformance";
import { subscribesLate } from "./late-subscription.ts";
import { changeTransport } from "./changed-transport.ts";
import type { TransportChange } from "./changed-transport.ts";

/** A mistake that a factory may have, and all that the suite must say of it. */
export interface BrokenFactory {
  readonly title: string;
  readonly options?: Partial<SyncTransportOptions<unknown>>;
  breaksDriver?(driver: SyncDriver): Partial<SyncDriver>;
  /** `process`: all factories that the target has opened. */
  breaks?(
    factory: ServerSyncTransportFactory,
    process: Set<ServerSyncTransportFactory>,
  ): Partial<ServerSyncTransportFactory>;
  /** Closes the client that the caller has handed in. */
  readonly closesCallersClient?: true;
  readonly fails: readonly Check["id"][];
}

/** Changes every transport of a factory in the same way. */
function changing(
  change: (documentId: string) => TransportChange,
): (factory: ServerSyncTransportFactory) => Partial<ServerSyncTransportFactory> {
  return (factory) => ({
    createTransport: async (documentId) =>
      changeTransport(await factory.createTransport(documentId), change(documentId)),
  });
}

/** Changes what peers have said, on its way to the reader. */
function reading(
  change: (message: PeerMessage, forward: (message: Message) => void) => void,
): (factory: ServerSyncTransportFactory) => Partial<ServerSyncTransportFactory> {
  return changing(() => ({
    read(message, forward) {
      if (isPeerMessage(message)) change(message, forward);
      else forward(message);
    },
  }));
}

/** Changes the names of documents. */
function renaming(
  rename: (documentId: string) => string,
): (factory: ServerSyncTransportFactory) => Partial<ServerSyncTransportFactory> {
  return (factory) => ({
    createTransport: (documentId) => factory.createTransport(rename(documentId)),
  });
}

function concatenated(frames: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(frames.flatMap((frame) => [...frame]));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const leftRunning = new Set<ReturnType<typeof setInterval>>();

/** Ends what broken factories have left running. */
export function cleanUpBrokenFactories(): void {
  for (const timer of leftRunning) clearInterval(timer);
  leftRunning.clear();
}

export const brokenFactories: readonly BrokenFactory[] = [
  {
    title: "reaches one other instance only",
    breaks(factory, process) {
      process.add(factory);
      const third = process.size > 2;
      const { close } = factory;
      return {
        ...changing(() => ({
          read(message, forward) {
            if (!third || !isPeerMessage(message)) forward(message);
          },
        }))(factory),
        close() {
          process.delete(factory);
          return close();
        },
      };
    },
    fails: [
      "delivery/every-instance",
      "lifecycle/closed-is-over",
      "lifecycle/factory-spares-others",
      "errors/unread-transport",
      "convergence/editing",
      "convergence/joining-late",
      "convergence/link-cut",
      "convergence/deletions-lost",
      "convergence/broker-restarted",
    ],
  },
  {
    title: "delivers every hundredth message twice",
    breaks(factory) {
      let count = 0;
      return reading((message, forward) => {
        count += 1;
        forward(message);
        if (count % 100 === 0) forward(message);
      })(factory);
    },
    fails: ["delivery/messages-once"],
  },
  {
    title: "loses every hundredth message and says nothing, which the engine repairs",
    breaks(factory) {
      let count = 0;
      return reading((message, forward) => {
        count += 1;
        if (count % 100 !== 0) forward(message);
      })(factory);
    },
    fails: ["delivery/messages-once", "ordering/messages", "load/documents"],
  },
  {
    title: "delivers every tenth message late",
    breaks(factory) {
      let count = 0;
      return reading((message, forward) => {
        count += 1;
        if (count % 10 === 0) setImmediate(() => forward(message));
        else forward(message);
      })(factory);
    },
    fails: ["ordering/messages"],
  },
  {
    title: "forgets whom a message is for",
    breaks: reading(({ to: _to, ...message }, forward) => forward(message)),
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
    title: "keeps sequence numbers in 32 bits",
    breaks: reading((message, forward) => forward({ ...message, seq: message.seq >>> 0 })),
    fails: ["delivery/messages-whole"],
  },
  {
    title: "carries frames as text",
    breaks: reading((message, forward) => {
      const frames = message.frames.map((frame) => encoder.encode(decoder.decode(frame)));
      forward({ ...message, frames });
    }),
    fails: [
      "delivery/messages-whole",
      "payload/large-messages",
      "payload/many-frames",
      "convergence/editing",
      "convergence/joining-late",
      "convergence/link-cut",
      "convergence/deletions-lost",
      "convergence/link-dark",
      "convergence/broker-restarted",
    ],
  },
  {
    title: "joins the frames of a message into one",
    breaks: reading((message, forward) =>
      forward({ ...message, frames: [concatenated(message.frames)] }),
    ),
    fails: [
      "delivery/messages-whole",
      "payload/many-frames",
      "convergence/editing",
      "convergence/joining-late",
      "convergence/link-cut",
      "convergence/deletions-lost",
      "convergence/link-dark",
      "convergence/broker-restarted",
    ],
  },
  {
    title: "drops messages of more than 1 MiB",
    breaks: reading((message, forward) => {
      if (message.frames.every(({ length }) => length <= 1024 * 1024)) forward(message);
    }),
    fails: ["payload/large-messages"],
  },
  {
    title: "drops what it has no use for: awareness",
    breaks: reading((message, forward) => {
      if (message.kind !== "awareness") forward(message);
    }),
    fails: ["delivery/messages-whole"],
  },
  {
    title: "loses the context",
    breaks: reading(({ context: _context, ...message }, forward) => forward(message)),
    fails: ["delivery/context"],
  },
  {
    title: "leaves out what comes from the same factory",
    breaks(factory) {
      const own = new Set<string>();
      return changing(() => ({
        write(message, forward) {
          if (isPeerMessage(message)) own.add(message.sender);
          forward(message);
        },
        read(message, forward) {
          if (!isPeerMessage(message) || !own.has(message.sender)) forward(message);
        },
      }))(factory);
    },
    fails: ["delivery/siblings"],
  },
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
  {
    title: "takes dots and slashes for the same",
    breaks: renaming((id) => id.replaceAll("/", ".")),
    fails: ["isolation/document-separators", "isolation/document-control-names"],
  },
  {
    title: "ignores case",
    breaks: renaming((id) => id.toLowerCase()),
    fails: ["isolation/document-case"],
  },
  {
    title: "normalises Unicode",
    breaks: renaming((id) => id.normalize("NFKC")),
    fails: ["isolation/document-spaces", "isolation/document-unicode"],
  },
  { title: "trims ids", breaks: renaming((id) => id.trim()), fails: ["isolation/document-spaces"] },
  {
    title: "decodes ids that look escaped",
    breaks: renaming((id) => id.replaceAll("%20", " ")),
    fails: ["isolation/document-escapes"],
  },
  {
    title: "cuts ids after 255 characters",
    breaks: renaming((id) => id.slice(0, 255)),
    fails: ["isolation/document-long-names"],
  },
  {
    title: "ignores asterisks",
    breaks: renaming((id) => id.replaceAll("*", "x")),
    fails: ["isolation/document-wildcards"],
  },
  {
    title: "keeps the parts of ids by their first digit",
    breaks: renaming((id) => id.replace(/-1\d*$/, "-1")),
    fails: ["isolation/document-prefixes"],
  },
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
      leftRunning.add(setInterval(() => void factory, 1000));
      return {};
    },
    fails: ["lifecycle/factory-no-handle"],
  },
  {
    title: "closes the caller's client",
    closesCallersClient: true,
    fails: ["lifecycle/callers-client"],
  },
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
    fails: ["errors/reader-fails", "errors/unread-transport", "memory/unread-transport"],
  },
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
