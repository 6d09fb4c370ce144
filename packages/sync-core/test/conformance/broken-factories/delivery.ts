import { isPeerMessage } from "@teleportal/sync-core";
import { changing, reading } from "./broken-factory.ts";
import type { BrokenFactory } from "./broken-factory.ts";

const encoder = new TextEncoder();

const decoder = new TextDecoder();

function concatenated(frames: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(frames));
}

export const deliveryMistakes: readonly BrokenFactory[] = [
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
];
