import type { DriverCheck } from "../check.ts";
import { expectSameBytes } from "../expectation.ts";

/** All byte values, and sequences that no UTF-8 decoder leaves as they are. */
function awkwardBytes(): Uint8Array {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const broken = [0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x0d, 0x0a, 0x00, 0xef];
  return Uint8Array.from([...all, ...broken, ...all.toReversed()]);
}

export const binaryChecks: readonly DriverCheck[] = [
  {
    subject: "driver",
    id: "binary/every-byte",
    level: "MUST",
    title: "bytes arrive as they were, whatever their values",
    requires: {},
    async run({ openUp, channel }) {
      const [a, b] = [await openUp(), await openUp()];
      const inbox = await b.subscribe(channel());
      const sent = [awkwardBytes(), Uint8Array.of(0), Uint8Array.of(0xff), Uint8Array.of(0x0a)];
      for (const bytes of sent) {
        await a.publish(channel(), bytes);
        await inbox.receives(bytes);
      }
    },
  },
  {
    subject: "driver",
    id: "binary/views",
    level: "MUST",
    title: "of a view into a larger buffer, the view is sent",
    requires: {},
    async run({ openUp, channel }) {
      const [a, b] = [await openUp(), await openUp()];
      const inbox = await b.subscribe(channel());
      const buffer = Uint8Array.from({ length: 100 }, (_, i) => i + 1);
      const view = buffer.subarray(10, 20);
      await a.publish(channel(), view);
      await inbox.receives(view);
    },
  },
  {
    subject: "driver",
    id: "binary/buffer-reused",
    level: "MUST",
    title: "a buffer that is used anew once its publish has settled changes nothing that was sent",
    requires: {},
    async run({ openUp, channel }) {
      const [a, b] = [await openUp(), await openUp()];
      const inbox = await b.subscribe(channel());
      const buffer = new Uint8Array(1000);
      for (let i = 0; i < 50; i++) {
        buffer.fill(i);
        await a.publish(channel(), buffer);
        buffer.fill(255);
      }
      for (let i = 0; i < 50; i++) await inbox.receives(new Uint8Array(1000).fill(i));
    },
  },
  {
    subject: "driver",
    id: "binary/bytes-kept",
    level: "MUST",
    title: "bytes once delivered are not changed by what arrives later",
    requires: {},
    async run({ openUp, channel }) {
      const [a, b] = [await openUp(), await openUp()];
      const inbox = await b.subscribe(channel());
      const kept: Uint8Array[] = [];
      for (let i = 0; i < 100; i++) {
        const bytes = new Uint8Array(500 + i).fill(i);
        await a.publish(channel(), bytes);
        kept.push(await inbox.receives(bytes));
      }
      for (const [i, bytes] of kept.entries()) {
        expectSameBytes(bytes, new Uint8Array(500 + i).fill(i));
      }
    },
  },
  {
    subject: "driver",
    id: "binary/bytes-owned",
    level: "MUST",
    title: "a subscriber may write to the bytes it was handed: no other subscriber sees it",
    requires: {},
    async run({ openUp, channel }) {
      const [a, b, c] = [await openUp(), await openUp(), await openUp()];
      const inboxes = [await b.subscribe(channel()), await c.subscribe(channel())];
      const sent = Uint8Array.from({ length: 100 }, (_, i) => i);
      await a.publish(channel(), sent.slice());
      for (const inbox of inboxes) {
        const bytes = await inbox.receives(sent);
        bytes.fill(255);
      }
    },
  },
];
