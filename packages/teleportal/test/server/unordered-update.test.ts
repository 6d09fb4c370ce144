import { encodeUpdateFrame } from "@teleportal/sync-core";
import { describe, expect, it, vi } from "vitest";
import * as Y from "yjs";
import { createGatedStorage } from "./gated-storage.ts";
import { outcomeOf } from "./outcome-of.ts";
import { connectRaw } from "./raw-client.ts";
import type { RawClient } from "./raw-client.ts";
import { receivedUpdates } from "./received-updates.ts";
import { startInstance } from "./start-instance.ts";
import { typedBytes, updateBytes } from "./struct-bytes.ts";
import type { OperationId } from "./struct-bytes.ts";

const FIRST = { root: "text" } as const;

interface Unordered {
  readonly update: Uint8Array;
  /** The same as Yjs writes it, in several updates. */
  readonly ordered: readonly Uint8Array[];
  /** What its text ends with. */
  readonly last: OperationId;
}

const UNORDERED: readonly (readonly [name: string, row: Unordered])[] = [
  [
    "whose clients come in ascending order",
    {
      update: updateBytes([
        { client: 5, clock: 0, structs: [typedBytes("cd", { behind: [9, 1] })] },
        { client: 9, clock: 0, structs: [typedBytes("ab", FIRST)] },
      ]),
      ordered: [
        updateBytes([{ client: 9, clock: 0, structs: [typedBytes("ab", FIRST)] }]),
        updateBytes([{ client: 5, clock: 0, structs: [typedBytes("cd", { behind: [9, 1] })] }]),
      ],
      last: [5, 1],
    },
  ],
  [
    "that lists a client twice",
    {
      update: updateBytes([
        { client: 5, clock: 0, structs: [typedBytes("ab", FIRST)] },
        { client: 5, clock: 2, structs: [typedBytes("cd", { behind: [5, 1] })] },
      ]),
      ordered: [
        updateBytes([{ client: 5, clock: 0, structs: [typedBytes("ab", FIRST)] }]),
        updateBytes([{ client: 5, clock: 2, structs: [typedBytes("cd", { behind: [5, 1] })] }]),
      ],
      last: [5, 3],
    },
  ],
  [
    "that lists a client twice, the later part first",
    {
      update: updateBytes([
        { client: 5, clock: 2, structs: [typedBytes("cd", { behind: [5, 1] })] },
        { client: 5, clock: 0, structs: [typedBytes("ab", FIRST)] },
      ]),
      ordered: [
        updateBytes([{ client: 5, clock: 0, structs: [typedBytes("ab", FIRST)] }]),
        updateBytes([{ client: 5, clock: 2, structs: [typedBytes("cd", { behind: [5, 1] })] }]),
      ],
      last: [5, 3],
    },
  ],
];

/** The text that a y-websocket client would show. */
function shownTo({ received }: RawClient): string {
  const doc = new Y.Doc();
  for (const update of receivedUpdates(received)) Y.applyUpdate(doc, update);
  return doc.getText("text").toString();
}

async function connected(url: string): Promise<RawClient> {
  const client = await connectRaw(url, "doc");
  await client.fence();
  return client;
}

describe("an update", () => {
  it.each(UNORDERED)("%s is shown whole to everybody, or to nobody", async (_, { update }) => {
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ storage });
    const [live, bad] = [await connected(url), await connected(url)];
    const taken = (await outcomeOf(bad, encodeUpdateFrame(update))) === "taken";
    const fresh = await connected(url);
    await live.fence();
    expect([shownTo(live), shownTo(fresh)]).toEqual(taken ? ["abcd", "abcd"] : ["", ""]);
    await server.close();
    expect(await storage.storedText("doc")).toBe(taken ? "abcd" : "");
  });

  it.each(UNORDERED)("%s holds up nothing that builds on it", async (_, row) => {
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ storage });
    const [live, bad, good] = [await connected(url), await connected(url), await connected(url)];
    await outcomeOf(bad, encodeUpdateFrame(row.update));
    // Somebody who holds the same sends it as Yjs would, and types behind it.
    for (const update of row.ordered) good.send(encodeUpdateFrame(update));
    const typed = typedBytes("!", { behind: row.last });
    good.send(encodeUpdateFrame(updateBytes([{ client: 7, clock: 0, structs: [typed] }])));
    await good.fence();
    await live.fence();
    expect(shownTo(live)).toBe("abcd!");
    expect(shownTo(await connected(url))).toBe("abcd!");
    // So much more that the stored form is compacted at the close.
    for (let i = 0; i < 70; i++) {
      const doc = new Y.Doc();
      doc.getMap("map").set(`key ${i}`, "x".repeat(1000));
      good.send(encodeUpdateFrame(Y.encodeStateAsUpdate(doc)));
      await good.fence();
    }
    await server.close();
    expect(storage.count("compact")).toBeGreaterThan(0);
    const again = await startInstance({ storage });
    await vi.waitFor(async () => expect(shownTo(await connected(again.url))).toBe("abcd!"));
  });
});
