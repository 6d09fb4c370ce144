import { encodeSyncStep2, encodeUpdateFrame } from "@teleportal/sync-core";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { connectEditor } from "./connect-editor.ts";
import { createGatedStorage } from "./gated-storage.ts";
import { connectRaw } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";
import * as Y from "yjs";
import { updateOf } from "./update-of.ts";

/** A server on which everybody may read, and nobody may write until `allow` is called. */
async function startReadOnly() {
  const rights = { write: false };
  const storage = createGatedStorage();
  const instance = await startInstance({
    storage,
    checkPermission: ({ type }) => type === "read" || rights.write,
  });
  return {
    ...instance,
    storage,
    allow() {
      rights.write = true;
      return instance.server.recheckPermissions();
    },
  };
}

/** Resolves once a y-websocket client has been told that it may not write: it warns of it. */
async function untilRefused(edit: () => void): Promise<void> {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  edit();
  await vi.waitFor(() => expect(warn.mock.calls.flat().join()).toContain("no permission to write"));
}

describe("edits that were refused", () => {
  it("arrive at the others once their client may write, without a reconnect", async () => {
    const { url, server, storage, allow } = await startReadOnly();
    const [alice, bob] = [connectEditor(url, "doc"), connectEditor(url, "doc")];
    const lost = vi.fn();
    bob.provider.on("connection-close", lost);
    await Promise.all([alice.synced, bob.synced]);
    await untilRefused(() => bob.text.insert(0, "refused"));
    bob.text.insert(7, ", still refused");
    expect(alice.text.toString()).toBe("");

    await allow();
    bob.text.insert(bob.text.length, ", and no longer");
    await vi.waitFor(
      () => expect(alice.text.toString()).toBe("refused, still refused, and no longer"),
      5000,
    );
    expect(lost).not.toHaveBeenCalled();
    await server.close();
    expect(await storage.storedText("doc")).toBe("refused, still refused, and no longer");
  });

  it("are never skipped by what replaces something behind them", async () => {
    const { url, storage, allow } = await startReadOnly();
    const doc = new Y.Doc();
    const list = doc.getArray<string>("list");
    list.push(["one"]);
    await storage.append("doc", [Y.encodeStateAsUpdate(doc)]);
    const updates: Uint8Array[] = [];
    doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
    const witness = connectEditor(url, "doc");
    await witness.synced;
    const seen: string[] = [];
    witness.doc.on("update", () => seen.push(witness.doc.getArray("list").toArray().join()));
    const client = await connectRaw(url, "doc");
    await client.fence();
    const send = (edit: () => void): void => {
      doc.transact(edit);
      client.send(encodeUpdateFrame(updates.at(-1) ?? new Uint8Array()));
    };
    send(() => list.push(["two"]));
    await client.first("auth");
    await allow();
    // Its deletion would act at once, and its insertion would wait for what was refused.
    send(() => {
      list.delete(0, 1);
      list.insert(0, ["ONE"]);
    });
    await client.fence();
    client.send(encodeSyncStep2(Y.encodeStateAsUpdate(doc)));
    await vi.waitFor(() => expect(seen.at(-1)).toBe("ONE,two"), 5000);
    expect(seen).toEqual(["ONE,two"]);
  });

  it("that are deletions arrive as well", async () => {
    const { url, storage, allow } = await startReadOnly();
    await storage.append("doc", [updateOf("a sentence")]);
    const [alice, bob] = [connectEditor(url, "doc"), connectEditor(url, "doc")];
    await Promise.all([alice.synced, bob.synced]);
    await untilRefused(() => bob.text.delete(1, 9));
    await allow();
    await vi.waitFor(() => expect(alice.text.toString()).toBe("a"), 5000);
  });

  it("are asked for: the server sends the client what it holds itself", async () => {
    const { url, allow } = await startReadOnly();
    const client = await connectRaw(url, "doc");
    await client.fence();
    client.send(encodeUpdateFrame(updateOf("refused")));
    await client.first("auth");
    const before = client.received.length;
    await allow();
    await vi.waitFor(() => {
      const types = client.received.slice(before).map(({ read }) => read.type);
      expect(types).toEqual(["sync-step-1"]);
    });
  });
});
