import { encodeSyncStep2, encodeUpdateFrame } from "@teleportal/sync-core";
import { CloseCode } from "teleportal";
import { describe, expect, it } from "vitest";
import { connectEditor } from "./connect-editor.ts";
import { outcomeOf } from "./outcome-of.ts";
import { connectRaw } from "./raw-client.ts";
import { receivedUpdates } from "./received-updates.ts";
import { startInstance } from "./start-instance.ts";
import { ContentRef, structBytes, typedBytes, updateBytes } from "./struct-bytes.ts";

/** Of yrs: a link to what stands elsewhere. */
const WEAK_LINK = 7;

/** Content of Yjs's relatives that Yjs itself cannot read. */
const FOREIGN: readonly (readonly [name: string, struct: Uint8Array])[] = [
  [
    "a move",
    // Collapsed, of priority 0, of the operation before it.
    structBytes(ContentRef.move, { root: "list" }, Uint8Array.of(1, 77, 0)),
  ],
  [
    "a weak link",
    structBytes(ContentRef.type, { root: "map", key: "link" }, Uint8Array.of(WEAK_LINK, 0, 77, 0)),
  ],
];

function updateWith(struct: Uint8Array): Uint8Array {
  const text = typedBytes("x", { root: "text" });
  return updateBytes([{ client: 77, clock: 0, structs: [text, struct] }]);
}

function warningsOf(log: readonly string[], documentId: string): string[] {
  return log.filter((line) => /^(warn|error) /.test(line) && line.includes(documentId));
}

describe("content that Yjs cannot read", () => {
  it.each(FOREIGN)("%s in an edit closes its client with 1007", async (_, struct) => {
    const { url, server } = await startInstance();
    const bad = await connectRaw(url, "doc");
    expect(await outcomeOf(bad, encodeUpdateFrame(updateWith(struct)))).toEqual({
      code: CloseCode.malformed,
      reason: "malformed update",
    });
    expect(server.snapshot().counters.clientsRefused).toBe(1);
  });

  it.each(FOREIGN)("%s in what a client holds closes it for good", async (_, struct) => {
    const { url, server } = await startInstance();
    const bad = await connectRaw(url, "doc");
    expect(await outcomeOf(bad, encodeSyncStep2(updateWith(struct)))).toMatchObject({ code: 4422 });
    expect(server.snapshot().counters.clientsRefused).toBe(1);
  });

  it.each(FOREIGN)("%s is passed on to nobody, and the document goes on", async (_, struct) => {
    const { url } = await startInstance();
    const witness = await connectRaw(url, "doc");
    await witness.fence();
    const good = connectEditor(url, "doc");
    await good.synced;
    for (const encode of [encodeUpdateFrame, encodeSyncStep2]) {
      const bad = await connectRaw(url, "doc");
      expect(await outcomeOf(bad, encode(updateWith(struct)))).not.toBe("taken");
    }
    expect(receivedUpdates(witness.received)).toEqual([Uint8Array.of(0, 0)]);
    good.text.insert(0, "fine");
    await witness.first("update");
    expect(receivedUpdates(witness.received).length).toBe(2);
    const late = connectEditor(url, "doc");
    await late.synced;
    expect(late.text.toString()).toBe("fine");
  });

  it.each(FOREIGN)("%s is told to the log once for each document", async (_, struct) => {
    const { url, log } = await startInstance();
    for (const documentId of ["minutes", "agenda", "minutes", "agenda"]) {
      const bad = await connectRaw(url, documentId);
      await outcomeOf(bad, encodeSyncStep2(updateWith(struct)));
    }
    expect(warningsOf(log, "minutes").length).toBe(1);
    expect(warningsOf(log, "agenda").length).toBe(1);
  });
});
