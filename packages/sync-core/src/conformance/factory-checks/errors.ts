import type { FactoryCheck } from "../check.ts";
import { createCondition } from "../condition.ts";
import { sameBytes } from "../compare-bytes.ts";
import { expectSameSet } from "../expectation.ts";

/** What anybody could publish on a channel: text, JSON, noise, and the beginnings of an envelope. */
function garbage(): Uint8Array[] {
  const encoder = new TextEncoder();
  const envelope = [0x54, 0x53, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8];
  return [
    encoder.encode("hello"),
    encoder.encode('{"type":"update"}'),
    Uint8Array.of(0),
    new Uint8Array(1000),
    new Uint8Array(1000).fill(255),
    ...envelope.map((_, length) => Uint8Array.from(envelope.slice(0, length + 1))),
    Uint8Array.from([...envelope, ...new Uint8Array(50).fill(255)]),
    Uint8Array.from([0x54, 0x53, 200, 1, 2, 3]),
  ];
}

export const errorChecks: readonly FactoryCheck[] = [
  {
    subject: "factory",
    id: "errors/foreign-bytes",
    level: "MUST",
    title: "foreign bytes on a document's channel are skipped, and what follows them arrives",
    requires: { target: "openDriver" },
    async run({ open, openDriver, document, keyPrefix, fence, patience }) {
      const a = await (await open()).createTransport(document());
      const b = await (await open()).createTransport(document());
      const [stranger, witness] = [await openDriver(), await openDriver()];
      const channel = keyPrefix + document();
      const heard = createCondition(patience);
      const seen: Uint8Array[] = [];
      await witness.subscribe(channel, (bytes) => {
        seen.push(bytes);
        heard.changed();
      });
      await a.send("before");
      await b.hears("before");
      await heard.until(
        () => seen.length > 0,
        () => "nothing is sent on `keyPrefix` + document id: `keyPrefix` was not handed on",
      );
      for (const bytes of garbage()) await stranger.publish(channel, bytes);
      const last = new TextEncoder().encode("the last of the garbage");
      await stranger.publish(channel, last);
      await heard.until(
        () => seen.some((bytes) => sameBytes(bytes, last)),
        () => "what was published beside the factories did not arrive",
      );
      await fence(a, b);
      expectSameSet(b.texts, ["before"]);
    },
  },
  {
    subject: "factory",
    id: "errors/reader-fails",
    level: "MUST",
    title: "a reader that throws ends its own transport: others go on, and it can be opened anew",
    requires: {},
    async run({ open, document, settles }) {
      const [left, right] = [await open(), await open()];
      const a = await left.createTransport(document());
      const other = await right.createTransport(document("other"));
      const sibling = await right.createTransport(document());
      const { readable } = await right.factory.createTransport(document());
      const failed = readable.pipeTo(
        new WritableStream({
          write() {
            throw new Error("the reader has failed");
          },
        }),
      );
      await a.send("one");
      await settles(Promise.allSettled([failed]), "the failed reader was not let go");
      await a.send("two");
      await sibling.hears("two");
      const fromOther = await left.createTransport(document("other"));
      await fromOther.send("three");
      await other.hears("three");
      const anew = await right.createTransport(document());
      await a.send("four");
      await anew.hears("four");
    },
  },
  {
    subject: "factory",
    id: "errors/unread-transport",
    level: "MUST",
    title: "a transport that nobody reads holds back no other",
    requires: {},
    async run({ open, document }) {
      const [left, right] = [await open(), await open()];
      const a = await left.createTransport(document());
      const b = await left.createTransport(document("other"));
      await right.factory.createTransport(document());
      const read = await right.createTransport(document("other"));
      const witness = await (await open()).createTransport(document());
      const large = "x".repeat(100_000);
      for (let i = 0; i < 50; i++) {
        await a.send(`${i} ${large}`);
        // By now the one that is not read has been handed as much.
        await witness.hears(`${i} ${large}`);
      }
      await b.send("still here");
      await read.hears("still here");
    },
  },
];
