import { encodeUpdateFrame } from "@teleportal/sync-core";
import { createMemoryBus } from "@teleportal/sync-memory";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { connectEditor, untilSyncedAgain } from "./connect-editor.ts";
import { createGatedStorage } from "./gated-storage.ts";
import { connectRaw } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";
import { createCountedBus } from "./counted-bus.ts";
import { holdClosing } from "./closing-document.ts";
import { updateOf } from "./update-of.ts";

describe("closing the server", () => {
  it("closes its clients with 1001, stores everything and gives up every subscription", async () => {
    const bus = createCountedBus();
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ bus, storage });
    const clients = [await connectRaw(url, "one"), await connectRaw(url, "two")];
    for (const client of clients) client.send(encodeUpdateFrame(updateOf("stored")));
    await Promise.all(clients.map((client) => client.fence()));
    await server.close();
    expect(await storage.storedText("one")).toBe("stored");
    expect(await storage.storedText("two")).toBe("stored");
    expect(bus.subscriptions).toBe(0);
    for (const client of clients) {
      expect(await client.closed).toEqual({ code: 1001, reason: "the server is closing" });
    }
    await vi.waitFor(() => expect(server.size).toEqual({ documents: 0, connections: 0 }));
  });

  it("can be asked for twice, and refuses who comes later with 1013", async () => {
    const { url, server } = await startInstance();
    await Promise.all([server.close(), server.close()]);
    const late = await connectRaw(url, "doc");
    expect(await late.closed).toEqual({
      code: 1013,
      reason: "the server is closing: try another",
    });
  });

  it("waits for a document that is just being opened, and leaves nothing open", async () => {
    const bus = createCountedBus();
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ bus, storage });
    const load = storage.hold("load");
    onTestFinished(load);
    const client = await connectRaw(url, "doc");
    await vi.waitFor(() => expect(storage.count("load")).toBe(1));
    const closing = server.close();
    load();
    await closing;
    expect((await client.closed).code).toBe(1001);
    expect(server.size.documents).toBe(0);
    expect(bus.subscriptions).toBe(0);
  });

  it("opens nothing for a client that was waiting for its document to be closed", async () => {
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ storage });
    const closed = await holdClosing(storage, url, "doc");
    const second = await connectRaw(url, "doc");
    await vi.waitFor(() => expect(server.size.connections).toBe(1));
    const closing = server.close();
    closed();
    await closing;
    await second.closed;
    await vi.waitFor(() => expect(server.size).toEqual({ documents: 0, connections: 0 }));
    expect(storage.count("load")).toBe(1);
  });

  it("lets y-websocket clients go on at another instance with all they have typed", async () => {
    const bus = createMemoryBus();
    const [a, b] = [await startInstance({ bus }), await startInstance({ bus })];
    const alice = connectEditor(a.url, "doc");
    await alice.synced;
    alice.text.insert(0, "first ");
    await connectEditor(a.url, "doc").until((text) => text === "first ");
    const left = new Promise((resolve) => {
      alice.provider.once("connection-close", resolve);
    });
    const closing = a.server.close();
    await left;
    await closing;
    alice.text.insert(6, "second");
    const again = untilSyncedAgain(alice);
    alice.provider.serverUrl = b.url;
    await again;
    const bob = connectEditor(b.url, "doc");
    await bob.until((text) => text === "first second");
  });
});
