import { delivering } from "./broken-driver.ts";
import type { BrokenDriver } from "./broken-driver.ts";

const encoder = new TextEncoder();

const decoder = new TextDecoder();

/** What all drivers of a process share, who should not. */
const handedOut = new Map<string, Uint8Array>();

export const binaryMistakes: readonly BrokenDriver[] = [
  {
    title: "carries bytes as UTF-8 text",
    breaks: (driver) =>
      delivering(driver, (deliver) => (bytes) => deliver(encoder.encode(decoder.decode(bytes)))),
    fails: ["binary/every-byte", "payload/at-the-limit", "payload/sizes"],
  },
  {
    title: "publishes the whole buffer of a view",
    breaks: (driver) => ({
      publish: (channel, bytes) => driver.publish(channel, new Uint8Array(bytes.buffer)),
    }),
    fails: ["binary/views"],
  },
  {
    title: "delivers views into one buffer that it uses again",
    breaks(driver) {
      const buffer = new Uint8Array(driver.capabilities.maxPayload + 1000);
      return delivering(driver, (deliver) => (bytes) => {
        buffer.set(bytes);
        deliver(buffer.subarray(0, bytes.length));
      });
    },
    fails: ["binary/buffer-reused", "binary/bytes-kept"],
  },
  {
    title: "keeps the publisher's buffer until later",
    breaks: (driver) => ({
      async publish(channel, bytes) {
        setImmediate(() => {
          driver.publish(channel, bytes).catch(() => {});
        });
        return undefined;
      },
    }),
    fails: [
      "binary/buffer-reused",
      "lifecycle/closed-refuses",
      "recovery/unanswered-publish",
      "recovery/refuses-while-down",
    ],
  },
  {
    title: "hands one buffer to all subscribers of the process",
    breaks(driver) {
      return delivering(driver, (deliver, channel) => (bytes) => {
        const key = `${channel} ${bytes.join()}`;
        const shared = handedOut.get(key) ?? bytes;
        if (bytes.length < 200) handedOut.set(key, shared);
        deliver(shared);
      });
    },
    fails: ["binary/bytes-owned"],
  },
];
