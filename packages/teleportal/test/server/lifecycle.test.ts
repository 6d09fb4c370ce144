import { createServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { encodeUpdateFrame, silentLogger } from "@teleportal/sync-core";
import { createMemoryBus } from "@teleportal/sync-memory";
import type { MemoryBus } from "@teleportal/sync-memory";
import { attach, listen, Server } from "teleportal";
import type { AttachOptions, DocumentStorage } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import * as Y from "yjs";
import { connectEditor, untilSyncedAgain } from "./connect-editor.ts";
import { createGatedStorage } from "./gated-storage.ts";
import { connectRaw, presenceFrame } from "./raw-client.ts";
import { createStallingSocket } from "./stalling-socket.ts";
import { startInstance } from "./start-instance.ts";

function updateOf(text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

/** Stores so many updates that the document is compacted when it is closed: something to hold its closing up with. */
async function makeCompactable(storage: DocumentStorage, documentId: string): Promise<void> {
  for (let i = 0; i < 70; i++) await storage.append(documentId, [updateOf("x")]);
}

/** A bus that tells how many subscriptions to documents there are. */
function createCountedBus(): MemoryBus & { readonly subscriptions: number } {
  const bus = createMemoryBus();
  let subscriptions = 0;
  return {
    publish: bus.publish,
    subscribe(channel, onBytes) {
      const end = bus.subscribe(channel, onBytes);
      // Names with NUL are the transport's own.
      if (channel.includes("\0")) return end;
      subscriptions += 1;
      return () => {
        subscriptions -= 1;
        end();
      };
    },
    get subscriptions() {
      return subscriptions;
    },
  };
}

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
    await makeCompactable(storage, "doc");
    const { url, server } = await startInstance({ storage });
    const first = await connectRaw(url, "doc");
    await first.fence();
    const compact = storage.hold("compact");
    onTestFinished(compact);
    first.socket.close();
    await vi.waitFor(() => expect(storage.count("compact")).toBe(1));
    const second = connectEditor(url, "doc");
    await vi.waitFor(() => expect(server.size.connections).toBe(1));
    compact();
    await second.synced;
    expect(second.text.length).toBe(70);
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

describe("two instances", () => {
  it("with one storage store an edit once, by the one that took it", async () => {
    const bus = createMemoryBus();
    const shared = createMemoryDocumentStorage({ shared: true });
    const appended: string[] = [];
    const storageOf = (name: string): DocumentStorage => ({
      ...shared,
      async append(documentId, updates) {
        appended.push(name);
        await shared.append(documentId, updates);
      },
    });
    const a = await startInstance({ bus, storage: storageOf("a") });
    const b = await startInstance({ bus, storage: storageOf("b") });
    const [alice, bob] = [connectEditor(a.url, "doc"), connectEditor(b.url, "doc")];
    await Promise.all([alice.synced, bob.synced]);
    alice.text.insert(0, "one");
    await bob.until((text) => text === "one");
    bob.text.insert(3, " two");
    await alice.until((text) => text === "one two");
    await Promise.all([a.server.close(), b.server.close()]);
    expect(appended).toEqual(["a", "b"]);
    const doc = new Y.Doc();
    for (const update of await shared.load("doc")) Y.applyUpdate(doc, update);
    expect(doc.getText("text").toString()).toBe("one two");
  });

  it("with a storage each store everything each", async () => {
    const bus = createMemoryBus();
    const [storageA, storageB] = [createGatedStorage(), createGatedStorage()];
    const a = await startInstance({ bus, storage: storageA });
    const b = await startInstance({ bus, storage: storageB });
    const [alice, bob] = [connectEditor(a.url, "doc"), connectEditor(b.url, "doc")];
    await Promise.all([alice.synced, bob.synced]);
    alice.text.insert(0, "both");
    await bob.until((text) => text === "both");
    await Promise.all([a.server.close(), b.server.close()]);
    expect(await storageA.storedText("doc")).toBe("both");
    expect(await storageB.storedText("doc")).toBe("both");
  });
});

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
    await makeCompactable(storage, "doc");
    const first = await connectRaw(url, "doc");
    await first.fence();
    const compact = storage.hold("compact");
    onTestFinished(compact);
    first.socket.close();
    await vi.waitFor(() => expect(storage.count("compact")).toBe(1));
    const second = await connectRaw(url, "doc");
    await vi.waitFor(() => expect(server.size.connections).toBe(1));
    const closing = server.close();
    compact();
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

describe("an http server of the application's own", () => {
  async function startHttp(options: AttachOptions<unknown> = {}) {
    const http = createServer((request, response) => response.end(`route ${request.url}`));
    const server = new Server<unknown>({
      getStorage: () => createMemoryDocumentStorage(),
      checkPermission: () => true,
      logger: silentLogger,
    });
    const attached = attach(server, http, options);
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const { port } = http.address() as AddressInfo;
    onTestFinished(async () => {
      await server.close();
      await attached.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    });
    return { http, server, attached, port, url: `ws://127.0.0.1:${port}` };
  }

  function addOther(http: HttpServer): void {
    const other = new WebSocketServer({ noServer: true });
    http.on("upgrade", (request, stream, head) => {
      if (!request.url?.startsWith("/other")) return;
      other.handleUpgrade(request, stream, head, (socket) => socket.send("other"));
    });
  }

  it("keeps its routes and its other upgrades beside the documents", async () => {
    const { http, port, url } = await startHttp({ path: "/collab" });
    addOther(http);
    expect(await (await fetch(`http://127.0.0.1:${port}/page`)).text()).toBe("route /page");
    const other = new WebSocket(`${url}/other`);
    onTestFinished(() => other.terminate());
    const said = await new Promise((resolve) => {
      other.once("message", (data: Buffer) => resolve(data.toString()));
    });
    expect(said).toBe("other");
    const alice = connectEditor(`${url}/collab`, "room/doc");
    const bob = connectEditor(`${url}/collab`, "room/doc");
    await Promise.all([alice.synced, bob.synced]);
    alice.text.insert(0, "hi");
    await bob.until((text) => text === "hi");
  });

  it("goes on after the documents are detached from it", async () => {
    const { http, attached, port, url } = await startHttp({ path: "/collab" });
    const client = await connectRaw(`${url}/collab`, "doc");
    await client.fence();
    await attached.close();
    expect((await client.closed).code).toBe(1001);
    expect(await (await fetch(`http://127.0.0.1:${port}/page`)).text()).toBe("route /page");
    expect(http.listenerCount("upgrade")).toBe(0);
  });

  /** Sends an upgrade request as it stands and reads the answer to its end. */
  async function upgrade(port: number, path: string): Promise<string> {
    const socket = rawUpgrade(port, path);
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  }

  function rawUpgrade(port: number, path: string): Socket {
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
        "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    return socket;
  }

  it.each([
    ["/collab/", "the path names no document"],
    ["/collab/?token=1", "the path names no document"],
    ["/collab/%E0%A4%A", "the path is not percent-encoded UTF-8"],
    ["/collab/%ED%A0%80", "the path is not percent-encoded UTF-8"],
    ["/collab/a%00b", "the path contains NUL"],
    [`/collab/${"x".repeat(4097)}`, "the path has more than 4096 characters"],
  ])("refuses the upgrade path %s with 400", async (path, reason) => {
    const { port } = await startHttp({ path: "/collab" });
    const answer = await upgrade(port, path);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer.endsWith(`\r\n\r\n${reason}`)).toBe(true);
  });

  it("refuses an upgrade that nobody takes with 404, and leaves one that another may take", async () => {
    const { http, port } = await startHttp({ path: "/collab" });
    expect(await upgrade(port, "/elsewhere")).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    addOther(http);
    const socket = rawUpgrade(port, "/other");
    const [answer] = await new Promise<[Buffer]>((resolve) => {
      socket.once("data", (data) => resolve([data]));
    });
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 101 /);
  });

  it("refuses a client whose context is rejected with 401 and the reason", async () => {
    const { port } = await startHttp({
      context: async ({ url }) => {
        if (url?.includes("token=good")) return { user: "good" };
        throw new Error("the token has expired");
      },
    });
    const answer = await upgrade(port, "/doc?token=bad");
    expect(answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(answer.endsWith("\r\n\r\nthe token has expired")).toBe(true);
    const client = await connectRaw(`ws://127.0.0.1:${port}`, "doc?token=good");
    await client.fence();
  });

  it("survives a client that breaks off while its context is being made, or refused", async () => {
    let reject!: (cause: Error) => void;
    const context = vi.fn(
      () =>
        new Promise((_resolve, refuse) => {
          reject = refuse;
        }),
    );
    const { port } = await startHttp({ context });
    for (const round of [1, 2]) {
      const socket = rawUpgrade(port, "/doc");
      await vi.waitFor(() => expect(context).toHaveBeenCalledTimes(round));
      socket.resetAndDestroy();
      // Until the server has read the reset.
      if (round === 1) await fetch(`http://127.0.0.1:${port}/fence`);
      reject(new Error("too late"));
    }
    expect(await (await fetch(`http://127.0.0.1:${port}/page`)).text()).toBe("route /page");
  });

  it("can be detached while a context is being made: that client is refused", async () => {
    let resolve!: (context: unknown) => void;
    const context = vi.fn(
      () =>
        new Promise((made) => {
          resolve = made;
        }),
    );
    const { port, attached, server } = await startHttp({ context });
    const answer = upgrade(port, "/doc");
    onTestFinished(() => resolve({}));
    await vi.waitFor(() => expect(context).toHaveBeenCalledTimes(1));
    await attached.close();
    expect(await answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    resolve({});
    // What was resolved has been handled by the time a request is answered.
    await fetch(`http://127.0.0.1:${port}/fence`);
    expect(server.size.connections).toBe(0);
  });
});

describe("listening", () => {
  it("on a port in use is one clear error", async () => {
    const { listener } = await startInstance();
    const server = new Server({
      getStorage: () => createMemoryDocumentStorage(),
      checkPermission: () => true,
    });
    await expect(listen(server, { port: listener.port })).rejects.toThrow(
      `[teleportal] cannot listen on 127.0.0.1:${listener.port}: ` +
        "stop what uses it, or choose another port",
    );
  });

  it("answers a browser that is sent there by mistake, and ends with `close`", async () => {
    const { listener } = await startInstance();
    const page = `http://127.0.0.1:${listener.port}/doc`;
    const response = await fetch(page);
    expect(response.status).toBe(426);
    expect(await response.text()).toContain("WebSocket");
    await Promise.all([listener.close(), listener.close()]);
    await expect(fetch(page)).rejects.toThrow("fetch failed");
  });

  it("ends though a client does not answer the closing handshake", async () => {
    const { listener, url } = await startInstance();
    const client = await connectRaw(url, "doc");
    await client.fence();
    client.socket.pause();
    await listener.close();
    expect(listener.port).toBeGreaterThan(0);
  });
});
