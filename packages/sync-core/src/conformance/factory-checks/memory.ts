import type { FactoryCheck } from "../check.ts";
import { expect } from "../expectation.ts";
import { updateMessage } from "../factory-context.ts";
import { eachInFlight } from "../in-flight.ts";
import { expectFlatMemory, memoryInUse } from "../memory-growth.ts";

const MEBIBYTE = 1024 * 1024;

/** How much is written to where it cannot go, and how much of it may be kept. */
const WRITTEN = 96 * MEBIBYTE;
const KEPT = 64 * MEBIBYTE;

/** How often a document is opened and closed between two looks at the memory. */
const ROUND = 200;

/** Per document that was closed, in bytes; what keeps one open needs more. */
const LEFT_BEHIND = 500;

const MESSAGE = "x".repeat(MEBIBYTE);

export const memoryChecks: readonly FactoryCheck[] = [
  {
    subject: "factory",
    id: "memory/closed-documents",
    level: "SHOULD",
    title: "documents that were closed leave nothing behind",
    requires: {},
    async run({ open, document, settles }) {
      const { factory } = await open();
      let opened = 0;
      await expectFlatMemory(ROUND * LEFT_BEHIND, async () => {
        await eachInFlight(ROUND, async () => {
          const { writable } = await factory.createTransport(document(String(opened++)));
          await settles(writable.close(), "closing `writable` did not settle");
        });
      });
    },
  },
  {
    subject: "factory",
    id: "memory/unread-transport",
    level: "MUST",
    title: `of ${WRITTEN / MEBIBYTE} MiB for a reader that does not read, at most ${KEPT / MEBIBYTE} MiB are kept`,
    requires: {},
    async run({ open, document, settles, fence }) {
      const [left, right] = [await open(), await open()];
      const a = await left.createTransport(document());
      const other = await right.createTransport(document("other"));
      const from = await left.createTransport(document("other"));
      const unread = await right.factory.createTransport(document());
      const before = await memoryInUse();
      for (let sent = 0; sent < WRITTEN; sent += MEBIBYTE) {
        await a.send(MESSAGE);
        // Sent out before there is more: what is measured is the reader's side.
        if (sent % (4 * MEBIBYTE) === 0) await fence(from, other);
      }
      const kept = (await memoryInUse()) - before;
      expect(kept <= KEPT, `${kept} bytes are kept`);
      await settles(unread.writable.close(), "closing `writable` did not settle");
    },
  },
  {
    subject: "factory",
    id: "memory/no-link",
    level: "MUST",
    title: `of ${WRITTEN / MEBIBYTE} MiB written while there is no link, at most ${KEPT / MEBIBYTE} MiB are kept`,
    requires: { recovery: "automatic" },
    async run({ open, document, faults, settles }) {
      const { factory } = await open({ way: "link" });
      const { writable, readable } = await factory.createTransport(document());
      const writer = writable.getWriter();
      await faults().cut();
      const before = await memoryInUse();
      const writes: Promise<void>[] = [];
      for (let seq = 1; seq * MEBIBYTE <= WRITTEN; seq++) {
        writes.push(writer.write(updateMessage("0123456789abcdef", seq, MESSAGE)));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await settles(Promise.allSettled(writes), "a write waited for the network");
      const kept = (await memoryInUse()) - before;
      expect(kept <= KEPT, `${kept} bytes are kept`);
      await readable.cancel();
      await faults().heal();
    },
  },
];
