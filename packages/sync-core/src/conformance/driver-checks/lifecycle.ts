import type { DriverCheck } from "../check.ts";
import { createCondition } from "../condition.ts";
import type { Inbox } from "../driver-context.ts";
import { expect, expectOnly, expectSameList, expectSameSet } from "../expectation.ts";
import { countHandles } from "../handle-count.ts";

const ROUNDS = 20;

export const lifecycleChecks: readonly DriverCheck[] = [
  {
    subject: "driver",
    id: "lifecycle/first-state",
    level: "MUST",
    title: "with a broker there, the first state that is said is `up`, once it is",
    requires: {},
    async run({ openUp, channel }) {
      const [a, b] = [await openUp(), await openUp()];
      expect(a.states[0]?.state === "up", "the first state is `down`: nobody was asked yet");
      const inbox = await a.subscribe(channel());
      await b.publish(channel(), "message");
      await inbox.hears("message");
    },
  },
  {
    subject: "driver",
    id: "lifecycle/live-when-subscribed",
    level: "MUST",
    title: "a subscription is live when `subscribe` resolves: what is published next arrives",
    requires: {},
    async run({ openUp, channel }) {
      const [a, b] = [await openUp(), await openUp()];
      for (let i = 0; i < 50; i++) {
        const inbox = await b.subscribe(channel(String(i)));
        await a.publish(inbox.channel, "at once");
        await inbox.hears("at once");
      }
    },
  },
  {
    subject: "driver",
    id: "lifecycle/unsubscribed-is-silent",
    level: "MUST",
    title: "nothing is delivered on a subscription that was given up",
    requires: {},
    async run({ openUp, channel, fence }) {
      const [a, b, c] = [await openUp(), await openUp(), await openUp()];
      const given = await b.subscribe(channel("given up"));
      const kept = await b.subscribe(channel("kept"));
      const witness = await c.subscribe(channel("given up"));
      await a.publish(given.channel, "before");
      await given.hears("before");
      await given.unsubscribe();
      await a.publish(given.channel, "after");
      await witness.hears("after");
      await fence(a, kept);
      expectSameSet(given.texts, ["before"]);
    },
  },
  {
    subject: "driver",
    id: "lifecycle/unsubscribed-at-once",
    level: "MUST",
    title: "nothing is delivered once `unsubscribe` has been called, although it has not resolved",
    requires: {},
    async run({ openUp, channel, fence, settles, patience }) {
      const [a, b, c] = [await openUp(), await openUp(), await openUp()];
      const witness = await c.subscribe(channel());
      const kept = await b.subscribe(channel("kept"));
      const delivered = createCondition(patience);
      let given: Promise<void> | undefined;
      let late = 0;
      const unsubscribe = await settles(
        b.driver.subscribe(channel(), () => {
          if (given === undefined) given = unsubscribe();
          else late += 1;
          delivered.changed();
        }),
        "`subscribe` did not settle",
      );
      const texts = Array.from({ length: 100 }, (_, i) => `message ${i}`);
      await Promise.all(texts.map((text) => a.publish(channel(), text)));
      for (const text of texts) await witness.hears(text);
      // The witness has a link of its own, which may be ahead.
      await delivered.until(
        () => given !== undefined,
        () => "nothing was delivered at all",
      );
      await fence(a, kept);
      await settles(given ?? Promise.resolve(), "`unsubscribe` did not settle");
      expect(late === 0, `${late} messages were delivered after \`unsubscribe\` was called`);
    },
  },
  {
    subject: "driver",
    id: "lifecycle/unsubscribe-spares-others",
    level: "MUST",
    title: "giving one subscription up ends no other, on this instance or another",
    requires: {},
    async run({ openUp, channel }) {
      const [a, b, c] = [await openUp(), await openUp(), await openUp()];
      const given = await b.subscribe(channel("given up"));
      const sibling = await b.subscribe(channel("given up too, and not"));
      const other = await c.subscribe(channel("given up"));
      await given.unsubscribe();
      await a.publish(sibling.channel, "still here");
      await sibling.hears("still here");
      await a.publish(other.channel, "still there");
      await other.hears("still there");
    },
  },
  {
    subject: "driver",
    id: "lifecycle/resubscribed",
    level: "MUST",
    title:
      "a channel can be given up and subscribed to again and again, and each message arrives once",
    requires: {},
    async run({ openUp, channel, fence, capabilities }) {
      const [a, b] = [await openUp(), await openUp()];
      const rounds: string[] = [];
      let before: Inbox | undefined;
      for (let i = 0; i < ROUNDS; i++) {
        const inbox = await b.subscribe(channel());
        rounds.push(`round ${i}`);
        await a.publish(channel(), `round ${i}`);
        await inbox.hears(`round ${i}`);
        await fence(a, inbox);
        expect(
          !before?.texts.includes(`round ${i}`),
          "an earlier subscription is still delivered to",
        );
        // Where a message may come again, it may come to the channel's next subscriber.
        if (capabilities.delivery === "at-most-once") expectSameList(inbox.texts, [`round ${i}`]);
        else expectOnly(inbox.texts, rounds);
        await inbox.unsubscribe();
        before = inbox;
      }
    },
  },
  {
    subject: "driver",
    id: "lifecycle/close-settles",
    level: "MUST",
    title:
      "closing settles what is on its way: every publish resolves or rejects, and `close` resolves",
    requires: {},
    async run({ openUp, channel, settles }) {
      const a = await openUp();
      await a.subscribe(channel());
      const publishes = Array.from({ length: 100 }, (_, i) =>
        a.driver.publish(channel(), Uint8Array.of(i)),
      );
      // Awaited below as well; here only so that none counts as unhandled meanwhile.
      const settled = Promise.allSettled(publishes);
      await settles(a.close(), "`close` did not resolve");
      await settles(settled, "a publish that was on its way at the close never settled");
    },
  },
  {
    subject: "driver",
    id: "lifecycle/closed-is-silent",
    level: "MUST",
    title: "nothing is delivered after the close",
    requires: {},
    async run({ openUp, channel, fence }) {
      const [a, b, c] = [await openUp(), await openUp(), await openUp()];
      const closed = await b.subscribe(channel());
      const witness = await c.subscribe(channel());
      await a.publish(channel(), "before");
      await closed.hears("before");
      await b.close();
      const heard = closed.received.length;
      await a.publish(channel(), "after");
      await witness.hears("after");
      await fence(a, witness);
      expect(closed.received.length === heard, "a message was delivered after the close");
    },
  },
  {
    subject: "driver",
    id: "lifecycle/closed-refuses",
    level: "MUST",
    title: "a closed driver rejects to publish and to subscribe",
    requires: {},
    async run({ openUp, channel, settles }) {
      const a = await openUp();
      await a.close();
      const [publish, subscribe] = await settles(
        Promise.allSettled([
          a.driver.publish(channel(), Uint8Array.of(1)),
          a.driver.subscribe(channel(), () => {}),
        ]),
        "`publish` or `subscribe` after the close never settled",
      );
      expect(publish.status === "rejected", "`publish` after the close resolved");
      expect(subscribe.status === "rejected", "`subscribe` after the close resolved");
    },
  },
  {
    subject: "driver",
    id: "lifecycle/close-spares-others",
    level: "MUST",
    title: "closing one instance leaves the others of the process as they are",
    requires: {},
    async run({ openUp, channel }) {
      const [a, b, c] = [await openUp(), await openUp(), await openUp()];
      const inbox = await b.subscribe(channel());
      await c.subscribe(channel());
      await c.close();
      await a.publish(channel(), "still here");
      await inbox.hears("still here");
    },
  },
  {
    subject: "driver",
    id: "lifecycle/no-handle",
    level: "MUST",
    title: "a closed driver leaves no socket and no timer that would keep the process alive",
    requires: {},
    async run({ openUp, channel, patience }) {
      const handles = await countHandles();
      const a = await openUp();
      await a.subscribe(channel());
      await a.publish(channel(), "message");
      await a.close();
      await handles.expectReturned(patience);
    },
  },
];
