import type { DriverCheck } from "../check.ts";
import { expect } from "../expectation.ts";
import { patternedBytes } from "../patterned-bytes.ts";

/** A part's header and its beginning have to fit. */
const LEAST = 1024;

/** Memory and time for the check itself. */
const MOST = 32 * 1024 * 1024;

export const payloadChecks: readonly DriverCheck[] = [
  {
    subject: "driver",
    id: "payload/limit-stated",
    level: "MUST",
    title: `the most bytes of one publish are stated, and are at least ${LEAST}`,
    requires: {},
    async run({ openUp }) {
      const { maxPayload } = (await openUp()).driver.capabilities;
      expect(
        Number.isSafeInteger(maxPayload) && maxPayload >= LEAST,
        `\`maxPayload\` is ${maxPayload}`,
      );
    },
  },
  {
    subject: "driver",
    id: "payload/at-the-limit",
    level: "MUST",
    title: "a publish of as many bytes as are allowed arrives whole",
    requires: {},
    async run({ openUp, channel }) {
      const [a, b] = [await openUp(), await openUp()];
      const inbox = await b.subscribe(channel());
      const bytes = patternedBytes(Math.min(a.driver.capabilities.maxPayload, MOST));
      await a.publish(channel(), bytes);
      await inbox.receives(bytes);
    },
  },
  {
    subject: "driver",
    id: "payload/sizes",
    level: "MUST",
    title: "messages of all sizes arrive whole, around each power of two",
    requires: {},
    async run({ openUp, channel }) {
      const [a, b] = [await openUp(), await openUp()];
      const inbox = await b.subscribe(channel());
      const limit = Math.min(a.driver.capabilities.maxPayload, 1024 * 1024);
      for (let power = 2; power <= limit; power *= 2) {
        for (const size of [power - 1, power, power + 1]) {
          if (size > limit) continue;
          const bytes = patternedBytes(size);
          await a.publish(channel(), bytes);
          await inbox.receives(bytes);
        }
      }
    },
  },
];
