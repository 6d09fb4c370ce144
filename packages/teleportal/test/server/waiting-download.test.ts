import { encodeSyncStep1, encodeUpdateFrame } from "@teleportal/sync-core";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { connectRaw } from "./raw-client.ts";
import type { RawClient } from "./raw-client.ts";
import { receivedUpdates } from "./received-updates.ts";
import { startInstance } from "./start-instance.ts";
import { updateOf } from "./update-of.ts";

function contentFrames({ received }: RawClient): string[] {
  const types: string[] = received.map(({ read }) => read.type);
  return types.filter((type) => type === "update" || type === "sync-step-2");
}

/** A client that has not asked for the document yet, in which others type meanwhile. */
async function startWaiting() {
  const storage = createMemoryDocumentStorage();
  await storage.append("doc", [updateOf("stored ")]);
  const { url } = await startInstance({ storage });
  const waiting = await connectRaw(url, "doc");
  // It is in the document: the server has said what it holds itself.
  await waiting.first("sync-step-1");
  const [typist, witness] = [await connectRaw(url, "doc"), await connectRaw(url, "doc")];
  await Promise.all([typist.fence(), witness.fence()]);
  typist.send(encodeUpdateFrame(updateOf("live ")));
  await witness.first("update");
  return { waiting, typist, witness };
}

describe("a client that has not asked for the document", () => {
  it("receives no edit before its download, which holds them all", async () => {
    const { waiting } = await startWaiting();
    waiting.send(encodeSyncStep1(Uint8Array.of(0)));
    await waiting.first("sync-step-2");
    expect(contentFrames(waiting)).toEqual(["sync-step-2"]);
    const doc = new Y.Doc();
    for (const update of receivedUpdates(waiting.received)) Y.applyUpdate(doc, update);
    expect(doc.getText("text").toString().split(" ").sort()).toEqual(["", "live", "stored"]);
  });

  it("receives edits as they are made from then on", async () => {
    const { waiting, typist, witness } = await startWaiting();
    waiting.send(encodeSyncStep1(Uint8Array.of(0)));
    await waiting.first("sync-step-2");
    typist.send(encodeUpdateFrame(updateOf("later ")));
    await waiting.first("update");
    await typist.fence();
    await witness.fence();
    expect(contentFrames(waiting)).toEqual(["sync-step-2", "update"]);
  });

  it("receives none of the edits again when it holds some of them", async () => {
    const { waiting, typist } = await startWaiting();
    await typist.fence();
    const doc = new Y.Doc();
    for (const update of receivedUpdates(typist.received)) Y.applyUpdate(doc, update);
    waiting.send(encodeSyncStep1(Y.encodeStateVector(doc)));
    await waiting.first("sync-step-2");
    expect(contentFrames(waiting)).toEqual(["sync-step-2"]);
    for (const update of receivedUpdates(waiting.received)) expect(update.length).toBeLessThan(10);
  });
});
