import { encodeUpdateFrame } from "@teleportal/sync-core";
import type { DocumentStorage } from "teleportal";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { connectEditor } from "./connect-editor.ts";
import { createGatedStorage } from "./gated-storage.ts";
import { connectRaw, presenceFrame } from "./raw-client.ts";
import { createStallingSocket } from "./stalling-socket.ts";
import { startInstance } from "./start-instance.ts";
import { createCountedBus } from "./counted-bus.ts";
import { CLOSING_LENGTH, holdClosing } from "./closing-document.ts";
import { updateOf } from "./update-of.ts";

describe("a document", () => {
  it("is unloaded when its last client leaves, and its subscription with it", async () => {
    const bus = createCountedBus();
    const { url, server } = await startInstance({ bus });
    const first = await connectRaw(url, "doc");
    const second = await connectRaw(url, "doc");
    await Promise.all([first.fence(), second.fence()]);
    expect(server.size).toEqual({ documents: 1, connections: 2 });
    first.socket.close();
    await first.closed;
    await second.fence();
    expect(server.size).toEqual({ documents: 1, connections: 1 });
    expect(bus.subscriptions).toBe(1);
    second.socket.close();
    await vi.waitFor(() => expect(server.size).toEqual({ documents: 0, connections: 0 }));
    expect(bus.subscriptions).toBe(0);
  });

  it("is unloaded also when its client has left before it was open", async () => {
    const bus = createCountedBus();
    const storage = createGatedStorage();
    const { server } = await startInstance({ bus, storage });
    const load = storage.hold("load");
    onTestFinished(load);
    const connection = server.connect(createStallingSocket(), {
      documentId: "doc",
      context: undefined,
    });
    await vi.waitFor(() => expect(storage.count("load")).toBe(1));
    connection.closed();
    load();
    await vi.waitFor(() => expect(server.size.documents).toBe(0));
    expect(bus.subscriptions).toBe(0);
  });

  it("is there again for who comes back", async () => {
    const { url, server } = await startInstance();
    const alice = connectEditor(url, "doc");
    await alice.synced;
    alice.text.insert(0, "kept");
    await connectEditor(url, "doc").until((text) => text === "kept");
    alice.destroy();
    const bob = connectEditor(url, "doc");
    await bob.synced;
    expect(bob.text.toString()).toBe("kept");
    expect(server.size.documents).toBe(1);
  });

  it("stays open for who comes back while it is still being stored", async () => {
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ storage });
    const append = storage.hold("append");
    onTestFinished(append);
    const first = await connectRaw(url, "doc");
    first.send(encodeUpdateFrame(updateOf("typed")));
    await first.fence();
    first.socket.close();
    await vi.waitFor(() => expect(server.size).toEqual({ documents: 1, connections: 0 }));
    const second = connectEditor(url, "doc");
    await second.synced;
    expect(second.text.toString()).toBe("typed");
    append();
    second.text.insert(0, "re");
    await connectEditor(url, "doc").until((text) => text === "retyped");
    expect(storage.count("load")).toBe(1);
  });

  it("is opened anew for who comes back while it is being closed, and stores what is typed then", async () => {
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ storage });
    const closed = await holdClosing(storage, url, "doc");
    const second = connectEditor(url, "doc");
    await vi.waitFor(() => expect(server.size.connections).toBe(1));
    closed();
    await second.synced;
    expect(second.text.length).toBe(CLOSING_LENGTH);
    second.text.insert(0, "y");
    const third = connectEditor(url, "doc");
    await third.until((text) => text.startsWith("y"));
    third.text.insert(0, "z");
    await second.until((text) => text.startsWith("zy"));
    expect(storage.count("load")).toBe(2);
    await server.close();
    expect(await storage.storedText("doc")).toBe(`zy${"x".repeat(70)}`);
  });

  it("takes what a client typed before it left, though it was still being opened then", async () => {
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ storage });
    const load = storage.hold("load");
    onTestFinished(load);
    const client = await connectRaw(url, "doc");
    client.send(encodeUpdateFrame(updateOf("typed and gone")));
    await vi.waitFor(() => expect(storage.count("load")).toBe(1));
    client.socket.close();
    await client.closed;
    await vi.waitFor(() => expect(server.size.connections).toBe(0));
    load();
    await vi.waitFor(() => expect(server.size.documents).toBe(0));
    expect(await storage.storedText("doc")).toBe("typed and gone");
  });

  it("takes what a client typed before it left, though it was being asked whether it may", async () => {
    let grant!: (granted: boolean) => void;
    const asked = vi.fn(
      () =>
        new Promise<boolean>((resolve) => {
          grant = resolve;
        }),
    );
    const { url, server } = await startInstance({
      checkPermission: ({ type }) => type === "read" || asked(),
    });
    const reader = connectEditor(url, "doc");
    const client = await connectRaw(url, "doc");
    await Promise.all([reader.synced, client.fence()]);
    client.send(presenceFrame(1, 1, { user: "quick" }));
    client.send(encodeUpdateFrame(updateOf("typed and gone")));
    client.send(presenceFrame(1, 2, { user: "quick" }));
    await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(1));
    client.socket.close();
    await vi.waitFor(() => expect(server.size.connections).toBe(1));
    grant(true);
    await reader.until((text) => text === "typed and gone");
    const late = await connectRaw(url, "doc");
    late.send(new Uint8Array([3]));
    await late.fence();
    const shown = late.received.filter(({ read }) => read.type === "awareness");
    expect(shown.map(({ bytes }) => new TextDecoder().decode(bytes)).join()).not.toContain("quick");
  });

  it("loses nothing in 50 rounds of leaving and coming back at once", async () => {
    const storage = createGatedStorage();
    const slow: DocumentStorage = {
      ...storage,
      async append(documentId, updates) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        await storage.append(documentId, updates);
      },
      async load(documentId) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return storage.load(documentId);
      },
    };
    const bus = createCountedBus();
    const { url, server, log } = await startInstance({ storage: slow, bus });
    for (let round = 0; round < 50; round++) {
      const client = await connectRaw(url, "doc");
      client.send(encodeUpdateFrame(updateOf("x")));
      // Every other round waits until the server has it; in the others the socket's own order has to do.
      if (round % 2 === 0) await client.fence();
      client.socket.close();
      if (round % 3 === 0) await client.closed;
      if (round % 5 === 0) await vi.waitFor(() => expect(server.size.documents).toBe(0));
    }
    const reader = connectEditor(url, "doc");
    await reader.until((text) => text.length === 50);
    reader.destroy();
    await vi.waitFor(() => expect(server.size.documents).toBe(0));
    expect(await storage.storedText("doc")).toBe("x".repeat(50));
    expect(bus.subscriptions).toBe(0);
    expect(log.filter((line) => line.startsWith("error") || line.startsWith("warn"))).toEqual([]);
  });
});
