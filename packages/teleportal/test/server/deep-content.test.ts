import { encodeSyncStep2, encodeUpdateFrame } from "@teleportal/sync-core";
import { CloseCode } from "teleportal";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { connectEditor } from "./connect-editor.ts";
import { createGatedStorage } from "./gated-storage.ts";
import { outcomeOf } from "./outcome-of.ts";
import { connectRaw } from "./raw-client.ts";
import { receivedUpdates } from "./received-updates.ts";
import { startInstance } from "./start-instance.ts";
import {
  ContentRef,
  joinedBytes,
  nestedAny,
  nestedJson,
  stringBytes,
  structBytes,
  updateBytes,
} from "./struct-bytes.ts";

const ONE = Uint8Array.of(1);

function updateWith(ref: number, content: Uint8Array, root: string): Uint8Array {
  return updateBytes([{ client: 77, clock: 0, structs: [structBytes(ref, { root }, content)] }]);
}

type Nested = (levels: number) => Uint8Array;

/** Reading any of these is a function that calls itself for each level, in Yjs or in what it shows them to. */
const NESTED: readonly (readonly [name: string, nested: Nested])[] = [
  ["an embed", (levels) => updateWith(ContentRef.embed, stringBytes(nestedJson(levels)), "text")],
  [
    "a format's value",
    (levels) =>
      updateWith(
        ContentRef.format,
        joinedBytes(stringBytes("bold"), stringBytes(nestedJson(levels))),
        "text",
      ),
  ],
  [
    "a value as JSON",
    (levels) =>
      updateWith(ContentRef.json, joinedBytes(ONE, stringBytes(nestedJson(levels))), "list"),
  ],
  ["a value", (levels) => updateWith(ContentRef.any, joinedBytes(ONE, nestedAny(levels)), "list")],
];

describe.each([6000, 2000])("what is nested %i levels deep", (levels) => {
  it.each(NESTED)("in %s is refused, seen by nobody and not stored", async (_, nested) => {
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ storage });
    const witness = await connectRaw(url, "doc");
    const good = connectEditor(url, "doc");
    await Promise.all([witness.fence(), good.synced]);
    await witness.first("awareness");
    const before = witness.received.length;

    const bad = await connectRaw(url, "doc");
    expect(await outcomeOf(bad, encodeUpdateFrame(nested(levels)))).toEqual({
      code: CloseCode.malformed,
      reason: "malformed update",
    });
    good.text.insert(0, "fine");
    await witness.first("update");
    expect(witness.received.slice(before).map(({ read }) => read.type)).toEqual(["update"]);
    const late = connectEditor(url, "doc");
    await late.synced;
    expect(late.text.toString()).toBe("fine");
    await server.close();
    expect(await storage.storedText("doc")).toBe("fine");
    expect(Math.max(...(await storage.load("doc")).map(({ length }) => length))).toBeLessThan(1000);
  });

  it.each(NESTED)("in %s is refused also as what a client holds", async (_, nested) => {
    const { url } = await startInstance();
    const bad = await connectRaw(url, "doc");
    expect(await outcomeOf(bad, encodeSyncStep2(nested(levels)))).not.toBe("taken");
    const late = await connectRaw(url, "doc");
    await late.fence();
    expect(receivedUpdates(late.received)).toEqual([Uint8Array.of(0, 0)]);
  });
});

describe("what is nested 200 levels deep", () => {
  it.each(NESTED)("in %s is taken, and others receive it", async (_, nested) => {
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ storage });
    const [writer, reader] = [await connectRaw(url, "doc"), await connectRaw(url, "doc")];
    await reader.fence();
    const update = nested(200);
    expect(await outcomeOf(writer, encodeUpdateFrame(update))).toBe("taken");
    expect(await reader.first("update")).toEqual(encodeUpdateFrame(update));
    await server.close();
    const stored = new Y.Doc();
    for (const one of await storage.load("doc")) Y.applyUpdate(stored, one);
    expect(Y.getState(stored.store, 77)).toBe(1);
  });
});
