import type { DriverCheck } from "../check.ts";
import type { DriverContext, DriverInstance } from "../driver-context.ts";
import { expect, expectSameList, expectSameSet } from "../expectation.ts";
import { countHandles } from "../handle-count.ts";

const CHANNELS = 100;

/** Cuts the link, has `meanwhile` done without it, and resolves when the driver has said that it is back. */
async function interrupted(
  { faults }: DriverContext,
  instance: DriverInstance,
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<void> {
  const since = instance.states.length;
  await faults().cut();
  await instance.says("down", since);
  await meanwhile();
  const down = instance.states.length;
  await faults().heal();
  await instance.says("up", down);
}

/** Publishes through an instance that the fault may have touched as well, as soon as it can. */
async function publishWhenUp(from: DriverInstance, channel: string, text: string): Promise<void> {
  const { states } = from;
  if (states.at(-1)?.state !== "up") await from.says("up", states.length);
  await from.publish(channel, text);
}

export const recoveryChecks: readonly DriverCheck[] = [
  {
    subject: "driver",
    id: "recovery/never-down",
    level: "MUST",
    title: "a driver that has no link to lose is up from the start and says nothing else",
    requires: { recovery: "none" },
    async run({ openUp, channel }) {
      const a = await openUp();
      const inbox = await a.subscribe(channel());
      await a.publish(channel(), "message");
      await a.driver.publish(channel("other"), new Uint8Array(1));
      await inbox.unsubscribe();
      await a.close();
      expectSameList(
        a.states.map(({ state }) => state),
        ["up"],
      );
    },
  },
  {
    subject: "driver",
    id: "recovery/first-state-without-broker",
    level: "MUST",
    title: "without a broker the first state that is said is `down`, and `up` once there is one",
    requires: { recovery: "automatic" },
    async run(context) {
      await context.faults().cut();
      const a = await context.open("link");
      await a.says("down", 0);
      expect(a.states[0]?.state === "down", "it said `up` while there was no way to the broker");
      const down = a.states.length;
      await context.faults().heal();
      await a.says("up", down);
      const inbox = await a.subscribe(context.channel());
      const b = await context.openUp("direct");
      await b.publish(inbox.channel, "message");
      await inbox.hears("message");
    },
  },
  {
    subject: "driver",
    id: "recovery/unanswered-publish",
    level: "MUST",
    title: "a publish that a dark link has swallowed rejects when the link is gone",
    requires: { recovery: "automatic" },
    async run(context) {
      const a = await context.openUp("link");
      await context.faults().darken();
      const publish = Promise.allSettled([a.driver.publish(context.channel(), new Uint8Array(10))]);
      // Time to leave, so that there is something to be swallowed.
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
      await context.faults().cut();
      const [outcome] = await context.settles(publish, "it never settled");
      await context.faults().heal();
      expect(outcome.status === "rejected", "it resolved, although the broker never had it");
    },
  },
  {
    subject: "driver",
    id: "recovery/cut-is-told",
    level: "MUST",
    title: "a cut link is told, with its cause",
    requires: { recovery: "automatic" },
    async run(context) {
      const a = await context.openUp("link");
      await interrupted(context, a);
      const down = a.states.find(({ state }) => state === "down");
      expect(down?.state === "down" && down.cause !== undefined, "`down` came without a `cause`");
    },
  },
  {
    subject: "driver",
    id: "recovery/up-is-live",
    level: "MUST",
    title: `once it says \`up\` again, each of ${CHANNELS} subscriptions is live`,
    requires: { recovery: "automatic" },
    async run(context) {
      const [a, b] = [await context.openUp("direct"), await context.openUp("link")];
      const inboxes = await Promise.all(
        Array.from({ length: CHANNELS }, (_, i) => b.subscribe(context.channel(String(i)))),
      );
      await interrupted(context, b);
      await Promise.all(inboxes.map((inbox) => publishWhenUp(a, inbox.channel, "after")));
      for (const inbox of inboxes) await inbox.hears("after");
    },
  },
  {
    subject: "driver",
    id: "recovery/every-time",
    level: "MUST",
    title: "the third interruption is survived as the first, and each message still arrives once",
    requires: { recovery: "automatic" },
    async run(context) {
      const [a, b] = [await context.openUp("direct"), await context.openUp("link")];
      const inbox = await b.subscribe(context.channel());
      for (let round = 0; round < 3; round++) {
        await interrupted(context, b);
        await publishWhenUp(a, inbox.channel, `round ${round}`);
        await inbox.hears(`round ${round}`);
      }
      await context.fence(a, inbox);
      const { delivery } = context.capabilities;
      const texts = delivery === "at-least-once" ? new Set(inbox.texts) : inbox.texts;
      expectSameList([...texts], ["round 0", "round 1", "round 2"]);
    },
  },
  {
    subject: "driver",
    id: "recovery/refuses-while-down",
    level: "MUST",
    title: "a publish while the link is down rejects, and is not sent later",
    requires: { recovery: "automatic" },
    async run(context) {
      const [a, b] = [await context.openUp("link"), await context.openUp("direct")];
      const inbox = await b.subscribe(context.channel());
      let outcomes: PromiseSettledResult<unknown>[] = [];
      await interrupted(context, a, async () => {
        const attempts = ["one", "two"].map((text) =>
          a.driver.publish(inbox.channel, new TextEncoder().encode(text)),
        );
        outcomes = await context.settles(
          Promise.allSettled(attempts),
          "a publish without a link never settled",
        );
      });
      if (b.states.at(-1)?.state !== "up") await b.says("up", b.states.length);
      await context.fence(a, inbox);
      expectSameSet(inbox.texts, []);
      for (const { status } of outcomes) {
        expect(status === "rejected", "a publish without a link resolved");
      }
    },
  },
  {
    subject: "driver",
    id: "recovery/unsubscribed-meanwhile",
    level: "MUST",
    title: "a subscription that was given up while the link was down does not come back",
    requires: { recovery: "automatic" },
    async run(context) {
      const [a, b] = [await context.openUp("direct"), await context.openUp("link")];
      const given = await b.subscribe(context.channel("given up"));
      const kept = await b.subscribe(context.channel("kept"));
      const witness = await a.subscribe(context.channel("given up"));
      await interrupted(context, b, () =>
        context.settles(given.unsubscribe(), "unsubscribing without a link never settled"),
      );
      if (a.states.at(-1)?.state !== "up") await a.says("up", a.states.length);
      // By another, as `a` may not hear itself.
      const c = await context.openUp("direct");
      await c.publish(given.channel, "after");
      await witness.hears("after");
      await context.fence(c, kept);
      expectSameSet(given.texts, []);
    },
  },
  {
    subject: "driver",
    id: "recovery/subscribed-later",
    level: "MUST",
    title: "after an interruption new subscriptions work as before",
    requires: { recovery: "automatic" },
    async run(context) {
      const [a, b] = [await context.openUp("direct"), await context.openUp("link")];
      await interrupted(context, b);
      const inbox = await b.subscribe(context.channel());
      await publishWhenUp(a, inbox.channel, "new");
      await inbox.hears("new");
    },
  },
  {
    subject: "driver",
    id: "recovery/dark",
    level: "MUST",
    title:
      "a link that has gone dark is replaced: by itself where there is no echo, or when asked by `reconnect`",
    requires: { recovery: "automatic" },
    async run(context) {
      const [a, b] = [await context.openUp("direct"), await context.openUp("link")];
      const inbox = await b.subscribe(context.channel());
      const since = b.states.length;
      await context.faults().darken();
      if (context.capabilities.echo === "always") {
        expect(
          b.driver.reconnect !== undefined,
          "the driver has no `reconnect`: nobody could replace the link",
        );
        b.driver.reconnect?.();
      }
      await b.says("down", since);
      const down = b.states.length;
      await context.faults().heal();
      await b.says("up", down);
      await publishWhenUp(a, inbox.channel, "after");
      await inbox.hears("after");
    },
  },
  {
    subject: "driver",
    id: "recovery/broker-restarted",
    level: "MUST",
    title: "a broker that is started anew, and empty, has every subscription again",
    requires: { recovery: "automatic" },
    async run(context) {
      const [a, b] = [await context.openUp("direct"), await context.openUp("direct")];
      const inbox = await b.subscribe(context.channel());
      const since = [a.states.length, b.states.length];
      await context.faults().restart();
      for (const [i, instance] of [a, b].entries()) {
        await instance.says("down", since[i] ?? 0);
        await instance.says(
          "up",
          instance.states.findLastIndex(({ state }) => state === "down"),
        );
      }
      await publishWhenUp(a, inbox.channel, "after");
      await inbox.hears("after");
    },
  },
  {
    subject: "driver",
    id: "recovery/closed-while-down",
    level: "MUST",
    title: "a driver can be closed while the link is down, and leaves nothing behind",
    requires: { recovery: "automatic" },
    async run(context) {
      const handles = await countHandles();
      const a = await context.openUp("link");
      await a.subscribe(context.channel());
      const since = a.states.length;
      await context.faults().cut();
      await a.says("down", since);
      await context.settles(a.close(), "`close` without a link did not resolve");
      await handles.expectReturned(context.patience);
      await context.faults().heal();
    },
  },
  {
    subject: "driver",
    id: "recovery/closed-while-dark",
    level: "MUST",
    title: "a driver can be closed while its link is dark, and leaves nothing behind",
    requires: { recovery: "automatic" },
    async run(context) {
      const handles = await countHandles();
      const a = await context.openUp("link");
      await a.subscribe(context.channel());
      await context.faults().darken();
      await context.settles(a.close(), "`close` on a dark link did not resolve");
      await handles.expectReturned(context.patience);
      await context.faults().heal();
    },
  },
];
