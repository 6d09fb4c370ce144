import type { PeerMessage } from "../../contract/message.ts";
import type { FactoryCheck } from "../check.ts";
import { expectSameBytes } from "../expectation.ts";
import { patternedBytes } from "../patterned-bytes.ts";

const KIBIBYTE = 1024;

/** Around the limits that brokers have, and far above most of them. */
const SIZES = [
  ...[0, 1, 64, 256, 512, 1024].flatMap((kibibytes) =>
    [-100, -1, 0, 1, 100].map((more) => Math.max(0, kibibytes * KIBIBYTE + more)),
  ),
  4096 * KIBIBYTE,
];

export const payloadChecks: readonly FactoryCheck[] = [
  {
    subject: "factory",
    id: "payload/large-messages",
    level: "MUST",
    title: "messages around every usual limit, and up to 4 MiB, arrive whole",
    requires: {},
    async run({ open, document }) {
      const a = await (await open()).createTransport(document());
      const b = await (await open()).createTransport(document());
      for (const [i, size] of SIZES.entries()) {
        const frame = patternedBytes(size);
        await a.write({ kind: "update", sender: a.sender, epoch: 1, seq: i + 1, frames: [frame] });
        const arrived = await b.receives(({ seq }) => seq === i + 1, `a message of ${size} bytes`);
        expectSameBytes(arrived.frames[0] ?? new Uint8Array(), frame);
      }
    },
  },
  {
    subject: "factory",
    id: "payload/many-frames",
    level: "MUST",
    title: "a message of ten thousand frames arrives whole",
    requires: {},
    async run({ open, document }) {
      const a = await (await open()).createTransport(document());
      const b = await (await open()).createTransport(document());
      const frames = Array.from({ length: 10_000 }, (_, i) => patternedBytes(i % 100));
      const message: PeerMessage = { kind: "update", sender: a.sender, epoch: 1, seq: 1, frames };
      await a.write(message);
      const arrived = await b.receives(({ seq }) => seq === 1, "the message");
      for (const [i, frame] of frames.entries()) {
        expectSameBytes(arrived.frames[i] ?? new Uint8Array(), frame);
      }
    },
  },
];
