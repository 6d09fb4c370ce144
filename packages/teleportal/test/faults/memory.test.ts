import { describe, expect, it } from "vitest";
import { brokerKinds } from "../brokers/broker-kinds.ts";
import { deploy } from "./deployment.ts";
import type { Deployment, Place } from "./deployment.ts";

const MEBIBYTE = 1024 * 1024;

/** What is typed and erased again while nobody takes it: several times what an instance may hold. */
const TYPED = 240 * MEBIBYTE;
const PASTE = MEBIBYTE / 2;

/**
 * The server itself, the outbox (8 MiB), and what waits for a slow client (8 MiB). With a bound taken away it is more than a
 * hundred.
 */
const ALLOWED = 64 * MEBIBYTE;

const NODE_OPTIONS = [
  "--expose-gc",
  "--import",
  new URL("report-held-memory.ts", import.meta.url).href,
];

/** Reads what a server process holds once its garbage is collected: what is resident is also what the allocator leaves lying. */
function memoryOf({ server }: Place): () => Promise<number> {
  let reports = 0;
  return async () => {
    server.child.kill("SIGUSR2");
    const [, bytes] = await server.printed(new RegExp(`held ${reports++}: (\\d+)\n`));
    return Number(bytes);
  };
}

/** Pastes and erases at one place; a second editor there tells that the instance has taken it. Then looks at what is held. */
async function typeAndErase(deployment: Deployment, place: Place): Promise<void> {
  const witness = deployment.join(place);
  await witness.synced;
  const { doc, text } = place.editor;
  const paste = "x".repeat(PASTE);
  for (let typed = 0, round = 0; typed < TYPED; typed += PASTE, round++) {
    text.insert(0, paste);
    text.delete(0, PASTE);
    doc.getMap("progress").set("round", round);
    await witness.until(() => witness.doc.getMap("progress").get("round") === round);
  }
  // Until its document is compacted, which it does beside its other work.
  await expect.poll(memoryOf(place), { timeout: 30_000 }).toBeLessThan(ALLOWED);
}

const [kind] = brokerKinds;
if (kind === undefined) throw new Error("there is no broker to choose");

describe.skipIf(kind.requirement.skip || process.platform === "win32")(
  `memory, on a ${kind.title}`,
  () => {
    it(
      "stays within its bound while the broker hangs and people type",
      { timeout: 120_000 },
      async () => {
        await using deployment = await deploy(kind, 2, { nodeOptions: NODE_OPTIONS });
        const [a] = deployment.places;
        if (a === undefined) throw new Error("an instance is needed");
        deployment.broker.pause();
        await typeAndErase(deployment, a);
        a.type(1);
        deployment.broker.resume();
        await deployment.converges("240 MB typed and erased while the broker hangs");
      },
    );

    it(
      "stays within its bound while the broker is gone and people type",
      { timeout: 120_000 },
      async () => {
        await using deployment = await deploy(kind, 2, { nodeOptions: NODE_OPTIONS });
        const [a] = deployment.places;
        if (a === undefined) throw new Error("an instance is needed");
        await deployment.broker.kill();
        await typeAndErase(deployment, a);
        a.type(1);
        await deployment.broker.restart();
        await deployment.converges("240 MB typed and erased while the broker is gone");
      },
    );

    it(
      "of an instance stays within its bound while its peer is paused",
      { timeout: 120_000 },
      async () => {
        await using deployment = await deploy(kind, 2, { nodeOptions: NODE_OPTIONS });
        const [a, b] = deployment.places;
        if (a === undefined || b === undefined) throw new Error("two instances are needed");
        b.pause();
        await typeAndErase(deployment, a);
        a.type(1);
        b.resume();
        await deployment.converges("240 MB typed and erased while a peer is paused");
      },
    );
  },
);
