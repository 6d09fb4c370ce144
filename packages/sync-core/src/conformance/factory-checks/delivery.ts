import type { PeerMessage, PeerMessageKind } from "../../contract/message.ts";
import type { FactoryCheck } from "../check.ts";
import { expect, expectSameBytes, expectSameList, expectSameSet } from "../expectation.ts";

/** What travels between the instances of a document; heartbeats are between transports. */
const KINDS: readonly PeerMessageKind[] = [
  "update",
  "awareness",
  "request",
  "reply",
  "digest",
  "leave",
];

const MANY = 200;

function expectSameMessage(actual: PeerMessage, sent: PeerMessage): void {
  for (const field of ["kind", "sender", "epoch", "seq", "to"] as const) {
    expect(
      actual[field] === sent[field],
      `\`${field}\` of a ${sent.kind} is ${String(actual[field])} instead of ${String(sent[field])}`,
    );
  }
  expect(
    actual.frames.length === sent.frames.length,
    `a ${sent.kind} arrived with ${actual.frames.length} frames instead of ${sent.frames.length}`,
  );
  for (const [i, frame] of sent.frames.entries()) {
    expectSameBytes(actual.frames[i] ?? new Uint8Array(), frame);
  }
}

export const deliveryChecks: readonly FactoryCheck[] = [
  {
    subject: "factory",
    id: "delivery/every-instance",
    level: "MUST",
    title: "what is written on one instance is read on every other that has the document open",
    requires: {},
    async run({ open, document, fence }) {
      const probes = await Promise.all(
        [await open(), await open(), await open()].map((instance) =>
          instance.createTransport(document()),
        ),
      );
      for (const probe of probes) await probe.send(`from ${probe.sender}`);
      for (const probe of probes) {
        const others = probes.filter((other) => other !== probe);
        const expected = others.map(({ sender }) => `from ${sender}`);
        for (const text of expected) await probe.hears(text);
        const [another] = others;
        if (another !== undefined) await fence(another, probe);
        expectSameSet(
          probe.texts.filter((text) => text !== `from ${probe.sender}`),
          expected,
        );
      }
    },
  },
  {
    subject: "factory",
    id: "delivery/messages-once",
    level: "MUST",
    title: "with a whole link, each message is read once",
    requires: { delivery: "at-most-once" },
    async run({ open, document, fence }) {
      const a = await (await open()).createTransport(document());
      const b = await (await open()).createTransport(document());
      const texts = Array.from({ length: MANY }, (_, i) => `message ${i}`);
      for (const text of texts) await a.send(text);
      for (const text of texts) await b.hears(text);
      await fence(a, b);
      expectSameList(b.texts.toSorted(), texts.toSorted());
    },
  },
  {
    subject: "factory",
    id: "delivery/messages-whole",
    level: "MUST",
    title: "messages of every kind arrive as they were written, field by field",
    requires: {},
    async run({ open, document }) {
      const a = await (await open()).createTransport(document());
      const b = await (await open()).createTransport(document());
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      const sent = KINDS.flatMap((kind, i): PeerMessage[] => [
        { kind, sender: a.sender, epoch: 1_700_000_000_000 + i, seq: i, frames: [bytes] },
        {
          kind,
          sender: a.sender,
          epoch: 2000 + i,
          seq: 2 ** 32 + i,
          to: b.sender,
          frames: [new Uint8Array(), bytes.subarray(0, i), bytes],
        },
        { kind, sender: a.sender, epoch: 1000 + i, seq: 0, frames: [] },
      ]);
      for (const message of sent) await a.write(message);
      for (const message of sent) {
        const { kind, epoch } = message;
        const arrived = await b.receives(
          (candidate) => candidate.kind === kind && candidate.epoch === epoch,
          `a ${kind}`,
        );
        expectSameMessage(arrived, message);
      }
    },
  },
  {
    subject: "factory",
    id: "delivery/context",
    level: "SHOULD",
    title: "every message carries the context that the reading factory was made with",
    requires: {},
    async run({ open, document }) {
      const context = { region: "here" };
      const a = await (
        await open({ context: { region: "elsewhere" } })
      ).createTransport(document());
      const b = await (await open({ context })).createTransport(document());
      await a.send("message");
      await b.hears("message");
      expect(b.messages[0]?.context === context, "`context` is not the one handed in");
    },
  },
  {
    subject: "factory",
    id: "delivery/siblings",
    level: "SHOULD",
    title: "two transports of one factory for the same document hear each other, once",
    requires: {},
    async run({ open, document, fence, capabilities }) {
      const [left, right] = [await open(), await open()];
      const a = await left.createTransport(document());
      const sibling = await left.createTransport(document());
      const other = await right.createTransport(document());
      await a.send("message");
      await sibling.hears("message");
      await other.hears("message");
      await fence(other, sibling);
      const { texts } = sibling;
      expectSameList(capabilities.delivery === "at-most-once" ? texts : [...new Set(texts)], [
        "message",
      ]);
    },
  },
];
