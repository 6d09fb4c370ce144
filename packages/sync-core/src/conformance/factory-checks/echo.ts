import type { FactoryCheck } from "../check.ts";
import { expectSameList } from "../expectation.ts";

export const echoChecks: readonly FactoryCheck[] = [
  {
    subject: "factory",
    id: "echo/not-to-the-writer",
    level: "MUST",
    title: "what is written to a transport does not come back out of it",
    requires: {},
    async run({ open, document, fence }) {
      const a = await (await open()).createTransport(document());
      const b = await (await open()).createTransport(document());
      for (const text of ["one", "two", "three"]) {
        await a.send(text);
        // The broker has handed it out: an echo would be on its way as well.
        await b.hears(text);
      }
      await b.send("from another");
      await a.hears("from another");
      await fence(b, a);
      expectSameList([...new Set(a.texts)], ["from another"]);
    },
  },
];
