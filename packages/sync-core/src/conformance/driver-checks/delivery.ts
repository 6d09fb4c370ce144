import type { DriverCheck } from "../check.ts";
import { expect, expectSameList, expectSameSet } from "../expectation.ts";

const MANY = 200;

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${i}`);
}

export const deliveryChecks: readonly DriverCheck[] = [
  {
    subject: "driver",
    id: "delivery/every-subscriber",
    level: "MUST",
    title: "what any instance publishes reaches every subscriber of the channel",
    requires: {},
    async run({ openUp, channel, fence }) {
      const publishers = { a: await openUp(), b: await openUp(), c: await openUp() };
      // The first only publishes: nobody has to subscribe to do that.
      const inboxes = {
        b: await publishers.b.subscribe(channel()),
        c: await publishers.c.subscribe(channel()),
      };
      for (const [name, publisher] of Object.entries(publishers)) {
        for (const text of numbered(name, 20)) await publisher.publish(channel(), text);
      }
      for (const [name, inbox] of Object.entries(inboxes)) {
        const others = Object.keys(publishers).filter((other) => other !== name);
        const expected = others.flatMap((other) => numbered(other, 20));
        for (const text of expected) await inbox.hears(text);
        await fence(publishers.a, inbox);
        // Whether a publisher hears itself is for the echo checks to say.
        const texts = inbox.texts.filter((text) => !text.startsWith(`${name} `));
        expectSameSet(texts, expected);
      }
    },
  },
  {
    subject: "driver",
    id: "delivery/exactly-once",
    level: "MUST",
    title: "with a whole link, each message arrives once",
    requires: { delivery: "at-most-once" },
    async run({ openUp, channel, fence }) {
      const [a, b] = [await openUp(), await openUp()];
      const inbox = await b.subscribe(channel());
      const texts = numbered("message", MANY);
      for (const text of texts) await a.publish(channel(), text);
      for (const text of texts) await inbox.hears(text);
      await fence(a, inbox);
      expectSameList(inbox.texts.toSorted(), texts.toSorted());
    },
  },
  {
    subject: "driver",
    id: "delivery/at-least-once",
    level: "MUST",
    title: "each message arrives, if need be more than once",
    requires: { delivery: "at-least-once" },
    async run({ openUp, channel, fence }) {
      const [a, b] = [await openUp(), await openUp()];
      const inbox = await b.subscribe(channel());
      const texts = numbered("message", MANY);
      for (const text of texts) await a.publish(channel(), text);
      for (const text of texts) await inbox.hears(text);
      await fence(a, inbox);
      expectSameSet(inbox.texts, texts);
    },
  },
  {
    subject: "driver",
    id: "delivery/receivers-counted",
    level: "MUST",
    title: "a publish that tells how many subscribers it was handed to tells the truth",
    requires: {},
    async run({ openUp, channel, capabilities }) {
      const [a, b, c] = [await openUp(), await openUp(), await openUp()];
      const counts = [await a.publish(channel(), "to nobody")];
      await b.subscribe(channel());
      counts.push(await a.publish(channel(), "to one"));
      await c.subscribe(channel());
      counts.push(await a.publish(channel(), "to two"));
      await a.subscribe(channel());
      counts.push(await a.publish(channel(), "to all"));
      if (counts.every((count) => count === undefined)) return;
      const withSelf = capabilities.echo === "always" ? 3 : 2;
      expect(
        counts.join() === [0, 1, 2, withSelf].join(),
        `publish said ${counts.join(", ")} where 0, 1, 2, ${withSelf} instances had subscribed`,
      );
    },
  },
];
