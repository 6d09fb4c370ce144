import { encodeUpdateFrame } from "@teleportal/sync-core";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { connectEditor } from "./connect-editor.ts";
import { createGatedStorage } from "./gated-storage.ts";
import { connectRaw } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";
import { createCountedBus } from "./counted-bus.ts";
import { updateOf } from "./update-of.ts";

describe("a storage that fails", () => {
  it("to load closes the client with 1011, and the next try works", async () => {
    const bus = createCountedBus();
    const storage = createGatedStorage();
    const { url, server, log } = await startInstance({ storage, bus });
    const repair = storage.fail("load");
    const client = await connectRaw(url, "doc");
    expect(await client.closed).toEqual({ code: 1011, reason: "the document cannot be opened" });
    await vi.waitFor(() => expect(server.size).toEqual({ documents: 0, connections: 0 }));
    expect(bus.subscriptions).toBe(0);
    expect(log.filter((line) => line.includes("the disk is full")).length).toBe(1);
    repair();
    await (await connectRaw(url, "doc")).fence();
  });

  it("to load lets a y-websocket client in by itself once it works", async () => {
    const storage = createGatedStorage();
    await storage.append("doc", [updateOf("stored")]);
    const { url } = await startInstance({ storage });
    const repair = storage.fail("load");
    const client = connectEditor(url, "doc");
    await vi.waitFor(() => expect(storage.count("load")).toBeGreaterThan(1));
    repair();
    await client.synced;
    expect(client.text.toString()).toBe("stored");
  });

  it("to append is noticed by no client, and has everything when it works again", async () => {
    const storage = createGatedStorage();
    const { url, log } = await startInstance({ storage });
    const [alice, bob] = [connectEditor(url, "doc"), connectEditor(url, "doc")];
    const lost = vi.fn();
    for (const { provider } of [alice, bob]) provider.on("connection-close", lost);
    await Promise.all([alice.synced, bob.synced]);
    const repair = storage.fail("append");
    for (const letter of "unstored") {
      alice.text.insert(alice.text.length, letter);
      await bob.until((text) => text === alice.text.toString());
    }
    // Tried again and again, and reported once.
    await vi.waitFor(() => expect(storage.count("append")).toBeGreaterThan(2), 5000);
    expect(await storage.storedText("doc")).toBe("");
    repair();
    await vi.waitFor(async () => expect(await storage.storedText("doc")).toBe("unstored"), 5000);
    alice.text.insert(0, "no longer ");
    await vi.waitFor(async () =>
      expect(await storage.storedText("doc")).toBe("no longer unstored"),
    );
    expect(lost).not.toHaveBeenCalled();
    expect(log.filter((line) => line.includes("storing doc"))).toEqual([
      expect.stringContaining("error [teleportal] storing doc failed (append: the disk is full)"),
      expect.stringContaining("info [teleportal] storing doc works again"),
    ]);
  });

  it("to append has also what was typed while it was tried again", async () => {
    const storage = createGatedStorage();
    const { url } = await startInstance({ storage });
    const [alice, bob] = [connectEditor(url, "doc"), connectEditor(url, "doc")];
    await Promise.all([alice.synced, bob.synced]);
    const repair = storage.fail("append");
    alice.text.insert(0, "refused ");
    await bob.until((text) => text === "refused ");
    await vi.waitFor(() => expect(storage.count("append")).toBe(1));
    const finish = storage.hold("append");
    onTestFinished(finish);
    repair();
    await vi.waitFor(() => expect(storage.count("append")).toBe(2), 5000);
    alice.text.insert(8, "meanwhile");
    await bob.until((text) => text === "refused meanwhile");
    finish();
    await vi.waitFor(async () => expect(await storage.storedText("doc")).toBe("refused meanwhile"));
  });

  it("to append keeps its document open after the last client has left, until all is stored", async () => {
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ storage });
    const repair = storage.fail("append");
    const client = await connectRaw(url, "doc");
    client.send(encodeUpdateFrame(updateOf("precious")));
    await client.fence();
    client.socket.close();
    await vi.waitFor(() => expect(server.size.connections).toBe(0));
    await vi.waitFor(() => expect(storage.count("append")).toBeGreaterThan(1), 5000);
    expect(server.size.documents).toBe(1);
    repair();
    await vi.waitFor(() => expect(server.size.documents).toBe(0), 5000);
    expect(await storage.storedText("doc")).toBe("precious");
  });

  it("just when the server closes is tried once more", async () => {
    const storage = createGatedStorage();
    let refuse!: () => void;
    const refused = new Promise<never>((_resolve, reject) => {
      refuse = () => reject(new Error("a hiccup"));
    });
    let appends = 0;
    const { url, server } = await startInstance({
      storage: {
        ...storage,
        append: (documentId, updates) =>
          ++appends === 1 ? refused : storage.append(documentId, updates),
      },
    });
    const client = await connectRaw(url, "doc");
    client.send(encodeUpdateFrame(updateOf("saved at last")));
    await client.fence();
    const closing = server.close();
    await client.closed;
    refuse();
    await closing;
    expect(await storage.storedText("doc")).toBe("saved at last");
  });

  it("to the end is reported when the server closes", async () => {
    const storage = createGatedStorage();
    const { url, server, log } = await startInstance({ storage });
    storage.fail("append");
    const client = await connectRaw(url, "doc");
    client.send(encodeUpdateFrame(updateOf("lost")));
    await client.fence();
    await server.close();
    expect(log.at(-1)).toContain("doc is closed with edits that its storage has refused");
  });
});
