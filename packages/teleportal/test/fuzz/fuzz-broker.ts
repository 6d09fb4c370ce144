import { encodeUpdateFrame } from "@teleportal/sync-core";
import * as Y from "yjs";
import { createRandom } from "../simulation/random.ts";
import { brokenBytes } from "./broken-bytes.ts";
import { clientOf } from "./client-of.ts";
import { must } from "./fuzz-error.ts";
import { openFuzzWorld, turn, until } from "./fuzz-world.ts";

/** So many keystrokes are published before the attack, to have something to break. */
const HONEST = 20;

/**
 * Publishes `inputs` broken messages on the channels of one document and of the instances. With a `secret` nothing of it may
 * reach that document either.
 *
 * @throws FuzzError if anybody else notices
 */
export async function fuzzBroker(seed: number, inputs: number, secret?: string): Promise<void> {
  const random = createRandom(seed);
  const world = await openFuzzWorld(random, secret);
  const [a, b] = world.servers;
  const [typist, reader] = [clientOf(a, "attacked"), clientOf(b, "attacked")];
  await world.check();

  const doc = new Y.Doc();
  const typed: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => {
    const frame = encodeUpdateFrame(new Uint8Array(update));
    typed.push(frame);
    typist.send(frame);
  });
  for (let i = 0; i < HONEST; i++) {
    doc.getText("text").insert(i, "x");
    await turn();
  }
  await until(() => reader.received.length >= HONEST, "a keystroke was lost before the attack");

  const channels = [...world.published.keys()].filter((channel) => !channel.includes("witness"));
  const corpus = [...world.published.values()].flat() as [Uint8Array, ...Uint8Array[]];
  for (let input = 0; input < inputs; input++) {
    const channel = random.pick(channels as [string, ...string[]]);
    world.bus.publish(channel, brokenBytes(random, corpus));
    if (random.chance(0.05)) await turn();
  }
  await turn();
  await world.check();

  if (secret !== undefined) {
    doc.getText("text").insert(HONEST, "y");
    await until(() => reader.received.length > HONEST, "a keystroke was lost in the attack");
    must(
      reader.received.every((frame, index) => Buffer.compare(frame, typed[index] ?? frame) === 0) &&
        reader.received.length === typed.length,
      "what has no seal has reached a client",
    );
  }
  world.endRefusals();
  for (const client of [typist, reader]) client.leave();
  await world.close();
}
