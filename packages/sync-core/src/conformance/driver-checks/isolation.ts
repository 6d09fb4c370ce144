import { CONFUSABLE_NAMES } from "../channel-names.ts";
import type { DriverCheck } from "../check.ts";
import type { DriverContext } from "../driver-context.ts";
import { expectSameSet } from "../expectation.ts";

/** Every name gets a message of its own, and nothing else. */
async function keepsApart(
  { openUp, fence }: DriverContext,
  names: readonly string[],
): Promise<void> {
  const [a, b] = [await openUp(), await openUp()];
  const inboxes = await Promise.all(names.map((name) => b.subscribe(name)));
  for (const [i, name] of names.entries()) {
    await a.publish(name, `message ${i}`);
    await inboxes[i]?.hears(`message ${i}`);
  }
  for (const [i, inbox] of inboxes.entries()) {
    await fence(a, inbox);
    expectSameSet(inbox.texts, [`message ${i}`]);
  }
}

export const isolationChecks: readonly DriverCheck[] = [
  ...CONFUSABLE_NAMES.map(({ name, title, names }): DriverCheck => ({
    subject: "driver",
    id: `isolation/channel-${name}`,
    level: "MUST",
    title: `channels are kept apart: ${title}`,
    requires: {},
    run: (context) => keepsApart(context, names(context.channel())),
  })),
  {
    subject: "driver",
    id: "isolation/channel-nul",
    level: "MUST",
    title: "channels are kept apart: the transport's own, whose names contain NUL",
    requires: {},
    run: (context) =>
      keepsApart(context, [
        context.channel(),
        `${context.channel()}\0`,
        `${context.channel()}\0instances`,
        `${context.channel()}instances`,
      ]),
  },
];
