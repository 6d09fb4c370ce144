import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { brokerKinds } from "../brokers/broker-kinds.ts";
import { deploy } from "./deployment.ts";
import type { Deployment, Place } from "./deployment.ts";

const MEBIBYTE = 1024 * 1024;

/** What is typed and erased again while nobody takes it: several times what an instance may hold. */
const TYPED = 240 * MEBIBYTE;
const PASTE = MEBIBYTE / 2;

/**
 * The outbox (8 MiB), what waits for a slow client (8 MiB), compaction at work, and what the collector and the allocator leave
 * lying, which is most of it. With a bound taken away it is above 300.
 */
const ALLOWED_GROWTH = 256 * MEBIBYTE;

function residentBytes({ server }: Place): number {
  const status = readFileSync(`/proc/${server.child.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** Pastes and erases at one place; a second editor there tells that the instance has taken it. Returns the growth. */
async function typeAndErase(deployment: Deployment, place: Place): Promise<number> {
  const witness = deployment.join(place);
  await witness.synced;
  const { doc, text } = place.editor;
  const paste = "x".repeat(PASTE);
  // Once, so that code is compiled and buffers have their size.
  let before = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let typed = 0, round = 0; typed < TYPED; typed += PASTE, round++) {
    text.insert(0, paste);
    text.delete(0, PASTE);
    doc.getMap("progress").set("round", round);
    await witness.until(() => witness.doc.getMap("progress").get("round") === round);
    if (round === 20) before = residentBytes(place);
    // The least of the last quarter: the most is what the collector has not come to yet, and what is kept stays.
    if (typed > TYPED * 0.75) least = Math.min(least, residentBytes(place));
  }
  return least - before;
}

const [kind] = brokerKinds;
if (kind === undefined) throw new Error("there is no broker to choose");

describe.skipIf(kind.requirement.skip || process.platform !== "linux")(
  `memory, on a ${kind.title}`,
  () => {
    it(
      "stays within its bound while the broker hangs and people type",
      { timeout: 120_000 },
      async () => {
        await using deployment = await deploy(kind);
        const [a] = deployment.places;
        if (a === undefined) throw new Error("an instance is needed");
        deployment.broker.pause();
        expect(await typeAndErase(deployment, a)).toBeLessThan(ALLOWED_GROWTH);
        a.type(1);
        deployment.broker.resume();
        await deployment.converges("240 MB typed and erased while the broker hangs");
      },
    );

    it(
      "stays within its bound while the broker is gone and people type",
      { timeout: 120_000 },
      async () => {
        await using deployment = await deploy(kind);
        const [a] = deployment.places;
        if (a === undefined) throw new Error("an instance is needed");
        await deployment.broker.kill();
        expect(await typeAndErase(deployment, a)).toBeLessThan(ALLOWED_GROWTH);
        a.type(1);
        await deployment.broker.restart();
        await deployment.converges("240 MB typed and erased while the broker is gone");
      },
    );

    it(
      "of an instance stays within its bound while its peer is paused",
      { timeout: 120_000 },
      async () => {
        await using deployment = await deploy(kind);
        const [a, b] = deployment.places;
        if (a === undefined || b === undefined) throw new Error("two instances are needed");
        b.pause();
        expect(await typeAndErase(deployment, a)).toBeLessThan(ALLOWED_GROWTH);
        a.type(1);
        b.resume();
        await deployment.converges("240 MB typed and erased while a peer is paused");
      },
    );
  },
);
