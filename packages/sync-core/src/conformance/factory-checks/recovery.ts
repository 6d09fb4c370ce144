import type { FactoryCheck } from "../check.ts";
import { expect } from "../expectation.ts";

/** Milliseconds between two messages to a transport that may be live by now. */
const ATTEMPT_INTERVAL = 50;

export const recoveryChecks: readonly FactoryCheck[] = [
  {
    subject: "factory",
    id: "recovery/signals",
    level: "SHOULD",
    title: "a transport says `down` when the link is lost, and `up` once it is live again",
    requires: { recovery: "automatic" },
    async run({ open, document, faults }) {
      const [left, right] = [await open({ way: "direct" }), await open({ way: "link" })];
      const a = await left.createTransport(document());
      const b = await right.createTransport(document());
      for (let round = 0; round < 2; round++) {
        const since = { a: a.signals.length, b: b.signals.length };
        await faults().cut();
        await b.says("down", since.b);
        const down = b.signals.length;
        await faults().heal();
        await b.says("up", down);
        // The fault may have touched the other as well.
        if (a.signals.at(-1)?.kind === "down") await a.says("up", a.signals.length);
        await a.send(`round ${round}`);
        await b.hears(`round ${round}`);
      }
    },
  },
  {
    subject: "factory",
    id: "recovery/no-broker-at-first",
    level: "MUST",
    title: "without a broker `createTransport` resolves all the same, and works once there is one",
    requires: { recovery: "automatic" },
    async run({ open, document, faults, patience }) {
      await faults().cut();
      const b = await (await open({ way: "link" })).createTransport(document());
      await b.send("typed without a broker");
      await faults().heal();
      const a = await (await open({ way: "direct" })).createTransport(document());
      // A transport need not say when it is live: what it is sent says so.
      const deadline = performance.now() + patience;
      for (let attempt = 0; b.texts.length === 0 && performance.now() < deadline; attempt++) {
        await a.send(`attempt ${attempt}`);
        await new Promise((resolve) => setTimeout(resolve, ATTEMPT_INTERVAL));
      }
      expect(b.texts.length > 0, "nothing arrives");
      await b.send("with a broker");
      await a.hears("with a broker");
    },
  },
  {
    subject: "factory",
    id: "recovery/factory-closed-while-down",
    level: "MUST",
    title: "a factory can be closed while the link is down",
    requires: { recovery: "automatic" },
    async run({ open, document, faults, settles }) {
      const instance = await open({ way: "link" });
      const transport = await instance.createTransport(document());
      await faults().cut();
      await settles(instance.close(), "`close` without a link did not resolve");
      await transport.ends();
      await faults().heal();
    },
  },
];
