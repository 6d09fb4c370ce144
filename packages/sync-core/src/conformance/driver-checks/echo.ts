import type { DriverCheck } from "../check.ts";
import { expect, expectSameList } from "../expectation.ts";

export const echoChecks: readonly DriverCheck[] = [
  {
    subject: "driver",
    id: "echo/always",
    level: "MUST",
    title:
      "a subscriber hears its own publishes, as it declares: they prove that the link is whole",
    requires: { echo: "always" },
    async run({ openUp, channel }) {
      const instance = await openUp();
      const inbox = await instance.subscribe(channel());
      for (const text of ["one", "two", "three"]) {
        await instance.publish(channel(), text);
        await inbox.hears(text);
      }
    },
  },
  {
    subject: "driver",
    id: "echo/never",
    level: "MUST",
    title: "a subscriber never hears its own publishes, as it declares, and hears all others",
    requires: { echo: "never" },
    async run({ openUp, channel, fence }) {
      const [a, b] = [await openUp(), await openUp()];
      const [own, other] = [await a.subscribe(channel()), await b.subscribe(channel())];
      for (const text of ["one", "two", "three"]) {
        await a.publish(channel(), text);
        // The broker has handed it out: an echo would be on its way as well.
        await other.hears(text);
      }
      await b.publish(channel(), "from another");
      await own.hears("from another");
      await fence(b, own);
      expectSameList(own.texts, ["from another"]);
      expect(other.texts.includes("three"), "the other instance has not heard all");
    },
  },
];
