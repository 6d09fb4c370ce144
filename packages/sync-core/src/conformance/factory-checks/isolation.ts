import { CONFUSABLE_NAMES } from "../channel-names.ts";
import type { FactoryCheck } from "../check.ts";
import { expectSameSet } from "../expectation.ts";

export const isolationChecks: readonly FactoryCheck[] = CONFUSABLE_NAMES.map(
  ({ name, title, names }): FactoryCheck => ({
    subject: "factory",
    id: `isolation/document-${name}`,
    level: "MUST",
    title: `documents are kept apart: ${title}`,
    requires: {},
    async run({ open, document, fence }) {
      const [left, right] = [await open(), await open()];
      const ids = names(document());
      const pairs = await Promise.all(
        ids.map(async (id) => ({
          from: await left.createTransport(id),
          to: await right.createTransport(id),
        })),
      );
      for (const [i, { from, to }] of pairs.entries()) {
        await from.send(`message ${i}`);
        await to.hears(`message ${i}`);
      }
      for (const [i, { from, to }] of pairs.entries()) {
        await fence(from, to);
        expectSameSet(to.texts, [`message ${i}`]);
      }
    },
  }),
);
