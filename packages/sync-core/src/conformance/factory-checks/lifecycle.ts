import type { FactoryCheck } from "../check.ts";
import { expect, expectOnly, expectSameList, expectSameSet } from "../expectation.ts";
import { countHandles } from "../handle-count.ts";

const ROUNDS = 20;

export const lifecycleChecks: readonly FactoryCheck[] = [
  {
    subject: "factory",
    id: "lifecycle/live-when-created",
    level: "MUST",
    title: "a transport is live when `createTransport` resolves: no edit falls between",
    requires: {},
    async run({ open, document }) {
      const [left, right] = [await open(), await open()];
      for (let i = 0; i < 50; i++) {
        const a = await left.createTransport(document(String(i)));
        const b = await right.createTransport(document(String(i)));
        await a.send("at once");
        await b.hears("at once");
      }
    },
  },
  {
    subject: "factory",
    id: "lifecycle/counted",
    level: "MUST",
    title: "the end of one transport leaves others of the same document on the same factory live",
    requires: {},
    async run({ open, document }) {
      const [left, right] = [await open(), await open()];
      const a = await left.createTransport(document());
      const ending = await right.createTransport(document());
      const staying = await right.createTransport(document());
      await ending.close();
      await a.send("still here");
      await staying.hears("still here");
      await staying.send("and answering");
      await a.hears("and answering");
    },
  },
  {
    subject: "factory",
    id: "lifecycle/closed-after-sending",
    level: "MUST",
    title: "closing `writable` sends what was written before, and closes `readable`",
    requires: {},
    async run({ open, document }) {
      const a = await (await open()).createTransport(document());
      const b = await (await open()).createTransport(document());
      const texts = Array.from({ length: 50 }, (_, i) => `message ${i}`);
      const writes = texts.map((text) => a.send(text));
      await Promise.all([...writes, a.close()]);
      await a.ends();
      for (const text of texts) await b.hears(text);
    },
  },
  {
    subject: "factory",
    id: "lifecycle/closed-is-over",
    level: "MUST",
    title: "nothing is read from a transport whose `writable` was closed",
    requires: {},
    async run({ open, document }) {
      const [left, right] = [await open(), await open()];
      const a = await left.createTransport(document());
      const closed = await right.createTransport(document());
      const witness = await (await open()).createTransport(document());
      await closed.close();
      await a.send("after");
      await witness.hears("after");
      // A transport made anew hears what comes now; the closed one must not have heard any of it.
      const anew = await right.createTransport(document());
      await a.send("later");
      await anew.hears("later");
      expectSameSet(closed.texts, []);
    },
  },
  {
    subject: "factory",
    id: "lifecycle/cancelled",
    level: "MUST",
    title: "cancelling `readable` ends a transport as well: the document can be opened anew",
    requires: {},
    async run({ open, document }) {
      const [left, right] = [await open(), await open()];
      const a = await left.createTransport(document());
      const cancelled = await right.createTransport(document());
      await cancelled.cancel();
      const anew = await right.createTransport(document());
      await a.send("later");
      await anew.hears("later");
      await anew.send("answer");
      await a.hears("answer");
    },
  },
  {
    subject: "factory",
    id: "lifecycle/opened-again",
    level: "MUST",
    title:
      "a document that is closed and opened at the same time, again and again, is live each time",
    requires: {},
    async run({ open, document, fence, capabilities }) {
      const [left, right] = [await open(), await open()];
      const a = await left.createTransport(document());
      const rounds: string[] = [];
      let b = await right.createTransport(document());
      for (let i = 0; i < ROUNDS; i++) {
        const [next] = await Promise.all([right.createTransport(document()), b.close()]);
        b = next;
        rounds.push(`round ${i}`);
        await a.send(`round ${i}`);
        await b.hears(`round ${i}`);
        await fence(a, b);
        // Where a message may come again, it may come to the document's next transport.
        if (capabilities.delivery === "at-most-once") expectSameList(b.texts, [`round ${i}`]);
        else expectOnly(b.texts, rounds);
      }
    },
  },
  {
    subject: "factory",
    id: "lifecycle/factory-closed",
    level: "MUST",
    title: "closing the factory ends its transports, as often as it is asked to",
    requires: {},
    async run({ open, document, settles }) {
      const instance = await open();
      const transports = [
        await instance.createTransport(document("1")),
        await instance.createTransport(document("2")),
      ];
      const closes = Promise.all([instance.close(), instance.close()]);
      await settles(closes, "`close` did not resolve");
      await settles(instance.close(), "a later `close` did not resolve");
      for (const transport of transports) await transport.ends();
    },
  },
  {
    subject: "factory",
    id: "lifecycle/factory-refuses",
    level: "MUST",
    title: "a closed factory rejects `createTransport`",
    requires: {},
    async run({ open, document, settles }) {
      const instance = await open();
      await instance.close();
      const [outcome] = await settles(
        Promise.allSettled([instance.factory.createTransport(document())]),
        "`createTransport` of a closed factory never settled",
      );
      expect(outcome.status === "rejected", "`createTransport` of a closed factory resolved");
    },
  },
  {
    subject: "factory",
    id: "lifecycle/factory-spares-others",
    level: "MUST",
    title: "closing one factory leaves the others of the process as they are",
    requires: {},
    async run({ open, document }) {
      const [left, middle, right] = [await open(), await open(), await open()];
      const a = await left.createTransport(document());
      await middle.createTransport(document());
      const b = await right.createTransport(document());
      await middle.close();
      await a.send("still here");
      await b.hears("still here");
    },
  },
  {
    subject: "factory",
    id: "lifecycle/factory-no-handle",
    level: "MUST",
    title: "a closed factory leaves no socket and no timer that would keep the process alive",
    requires: {},
    async run({ open, document, patience }) {
      const handles = await countHandles();
      const instance = await open();
      const a = await instance.createTransport(document());
      await a.send("message");
      await instance.close();
      await handles.expectReturned(patience);
    },
  },
  {
    subject: "factory",
    id: "lifecycle/callers-client",
    level: "MUST",
    title: "a client that the caller handed in works as before once the factory is closed",
    requires: { target: "callersClient" },
    async run({ openWithCallersClient, open, document, settles }) {
      const client = await openWithCallersClient();
      const other = await (await open()).createTransport(document());
      const transport = await settles(
        client.factory.createTransport(document()),
        "`createTransport` did not settle",
      );
      const writer = transport.writable.getWriter();
      await writer.write({
        kind: "update",
        sender: "0123456789abcdef",
        epoch: 1,
        seq: 1,
        frames: [new TextEncoder().encode("by the caller's client")],
      });
      await other.hears("by the caller's client");
      await settles(client.factory.close(), "`close` did not resolve");
      await settles(client.works(), "the caller's client does not answer any more");
    },
  },
];
