import { History } from "../../src/document/history.ts";
import { createRandom } from "../simulation/random.ts";
import { brokenBytes } from "./broken-bytes.ts";
import { clientCorpus } from "./client-corpus.ts";
import { clientOf } from "./client-of.ts";
import { must } from "./fuzz-error.ts";
import { openFuzzWorld, turn, until } from "./fuzz-world.ts";

const ATTACKERS = 4;

/** A frame that takes longer keeps everybody waiting, in milliseconds: far above what a collection of garbage takes. */
const SLOWEST = 2000;

/**
 * Sends `inputs` broken frames to one document, by clients that come again when they are closed.
 *
 * @throws FuzzError if anybody else notices
 */
export async function fuzzClients(seed: number, inputs: number): Promise<void> {
  const random = createRandom(seed);
  const corpus = clientCorpus();
  const world = await openFuzzWorld(random);
  const [server, other] = world.servers;
  const reader = clientOf(other, "attacked");
  const attackers = Array.from({ length: ATTACKERS }, () => clientOf(server, "attacked"));
  await world.check();
  for (let input = 0; input < inputs; input++) {
    const index = random.integer(0, ATTACKERS - 1);
    const bytes = brokenBytes(random, corpus);
    const started = performance.now();
    attackers[index]?.send(bytes);
    const took = performance.now() - started;
    must(
      took < SLOWEST,
      `a frame took ${Math.round(took)} ms: ${Buffer.from(bytes).toString("hex")}`,
    );
    if (attackers[index]?.closed) attackers[index] = clientOf(server, "attacked");
    if (random.chance(0.05)) await turn();
  }
  await world.check();
  world.endRefusals();
  const late = clientOf(server, "attacked");
  await until(
    () => isSame(reader.held, late.held),
    "a reader on the other instance lacks something",
  );
  for (const client of [...attackers, reader, late]) client.leave();
  await world.close();
  for (const storage of world.storages) {
    const stored = new History();
    for (const update of await storage.load("attacked")) stored.take(update);
    must(isSame(stored, late.held), "a storage lacks something");
  }
}

function isSame(a: History, b: History): boolean {
  return Buffer.compare(a.digest(), b.digest()) === 0;
}
