import type { Message, ServerSyncTransportFactory } from "teleportal/server";
import { encodeUpdateFrame } from "@teleportal/sync-core";
import { runConformance } from "@teleportal/sync-core/conformance";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import { BroadcastChannelTransportFactory } from "./broadcast-channel-transport.ts";
import { connectEditor, untilPresent } from "./connect-editor.ts";
import { target } from "./custom-transport-target.ts";
import { startInstance } from "./start-instance.ts";

async function startWithBroadcastChannel() {
  const factory = new BroadcastChannelTransportFactory(undefined);
  const instance = await startInstance({ syncTransportFactory: factory });
  onTestFinished(() => factory.close());
  return { ...instance, factory };
}

describe("a transport written by hand over BroadcastChannel", () => {
  it("keeps two servers in step: text, presence, late joiners and what was typed apart", async () => {
    const [a, b] = [await startWithBroadcastChannel(), await startWithBroadcastChannel()];
    const alice = connectEditor(a.url, "room1/doc456");
    await alice.synced;
    alice.text.insert(0, "hello");
    const bob = connectEditor(b.url, "room1/doc456");
    expect(await bob.synced.then(() => bob.text.toString())).toBe("hello");
    bob.text.insert(5, " world");
    await alice.until((text) => text === "hello world");
    alice.provider.awareness.setLocalState({ user: "alice" });
    bob.provider.awareness.setLocalState({ user: "bob" });
    await Promise.all([alice, bob].map((editor) => untilPresent(editor, ["alice", "bob"])));

    bob.provider.disconnect();
    await vi.waitFor(() => expect(b.server.size.documents).toBe(0));
    await untilPresent(alice, ["alice"]);
    alice.text.delete(0, 6);
    bob.text.insert(11, "!");
    bob.provider.connect();
    await Promise.all([alice, bob].map((editor) => editor.until((text) => text === "world!")));
    expect([...a.log, ...b.log].filter((line) => !line.startsWith("info"))).toEqual([]);
  });

  it("passes the conformance suite", { timeout: 60_000 }, async () => {
    const report = await runConformance(target);
    expect(report.results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
    expect(report.passed).toBeGreaterThan(30);
  });

  it("does not mix documents up", async () => {
    const [a, b] = [await startWithBroadcastChannel(), await startWithBroadcastChannel()];
    const [one, two] = [connectEditor(a.url, "one"), connectEditor(a.url, "two")];
    const [oneThere, twoThere] = [connectEditor(b.url, "one"), connectEditor(b.url, "two")];
    await Promise.all([one, two, oneThere, twoThere].map((editor) => editor.synced));
    one.text.insert(0, "first");
    two.text.insert(0, "second");
    await oneThere.until((text) => text === "first");
    await twoThere.until((text) => text === "second");
  });

  it("ends with the factory, and its servers' documents then work on alone", async () => {
    const [a, b] = [await startWithBroadcastChannel(), await startWithBroadcastChannel()];
    const [alice, bob] = [connectEditor(a.url, "doc"), connectEditor(b.url, "doc")];
    await Promise.all([alice.synced, bob.synced]);
    await a.factory.close();
    await a.factory.close();
    alice.text.insert(0, "alone");
    await connectEditor(a.url, "doc").until((text) => text === "alone");
    bob.text.insert(0, "too");
    const carol = connectEditor(b.url, "doc");
    await carol.until((text) => text === "too");
    expect(a.log).toEqual([
      "error [teleportal] the transport of doc failed to read (it has ended): " +
        "the document works on alone until it is opened again",
    ]);
  });
});

/** Says nothing to anybody, and breaks in its own way. */
type Breaking = (documentId: string) => {
  readable: ReadableStream<Message>;
  writable: WritableStream<Message>;
};

const cause = new Error("the wire is cut");

const BREAKING: readonly (readonly [name: string, create: Breaking, failure: string])[] = [
  [
    "whose readable fails",
    () => ({
      readable: new ReadableStream({ start: (controller) => controller.error(cause) }),
      writable: new WritableStream(),
    }),
    "read (the wire is cut)",
  ],
  [
    "whose readable ends",
    () => ({
      readable: new ReadableStream({ start: (controller) => controller.close() }),
      writable: new WritableStream(),
    }),
    "read (it has ended)",
  ],
  [
    "whose writable fails",
    () => ({
      readable: new ReadableStream(),
      writable: new WritableStream({
        write() {
          throw cause;
        },
      }),
    }),
    "write (the wire is cut)",
  ],
  [
    "whose both streams fail",
    () => ({
      readable: new ReadableStream({ pull: (controller) => controller.error(cause) }),
      writable: new WritableStream({ write: () => Promise.reject(cause) }),
    }),
    "",
  ],
];

describe("a transport written by hand", () => {
  it.each(BREAKING)("%s leaves its document working alone, with one log line", async (...row) => {
    const [, create, failure] = row;
    const factory: ServerSyncTransportFactory = {
      createTransport: async (documentId) => create(documentId),
      close: async () => {},
    };
    // Nobody waits for peers that cannot be reached.
    const { url, log, server } = await startInstance({
      syncTransportFactory: factory,
      joinTimeout: 60_000,
    });
    const [alice, bob] = [connectEditor(url, "doc"), connectEditor(url, "doc")];
    await Promise.all([alice.synced, bob.synced]);
    for (const letter of "works") {
      alice.text.insert(alice.text.length, letter);
      await bob.until((text) => text === alice.text.toString());
    }
    alice.destroy();
    bob.destroy();
    await vi.waitFor(() => expect(server.size.documents).toBe(0));
    expect(log.length).toBe(1);
    expect(log[0]).toContain(`error [teleportal] the transport of doc failed to ${failure}`);
    const carol = connectEditor(url, "doc");
    expect(await carol.synced.then(() => carol.text.toString())).toBe("works");
  });

  it("that cannot be made closes the client with 1011, and the next try works", async () => {
    const working = new BroadcastChannelTransportFactory(undefined);
    onTestFinished(() => working.close());
    const createTransport = vi
      .fn<ServerSyncTransportFactory["createTransport"]>(working.createTransport.bind(working))
      .mockRejectedValueOnce(cause);
    const { url, log } = await startInstance({
      syncTransportFactory: { createTransport, close: async () => {} },
    });
    const client = connectEditor(url, "doc");
    const first = await new Promise<{ code: number } | null>((resolve) => {
      client.provider.once("connection-close", resolve);
    });
    expect(first?.code).toBe(1011);
    await client.synced;
    expect(createTransport).toHaveBeenCalledTimes(2);
    expect(log.filter((line) => line.includes("the wire is cut")).length).toBe(1);
  });
});

describe("a hand-written transport that never ends", () => {
  it("does not keep its document, or the server, from closing", async () => {
    const never = () => new Promise<void>(() => {});
    const instance = await startInstance({
      joinTimeout: 10,
      syncTransportFactory: {
        createTransport: async () => ({
          readable: new ReadableStream({ cancel: never }),
          writable: new WritableStream({ close: never, abort: never }),
        }),
        close: async () => {},
      },
    });
    const editor = connectEditor(instance.url, "doc");
    await editor.synced;
    await instance.server.close();
    expect(instance.server.size.documents).toBe(0);
    expect(instance.log).toEqual([
      expect.stringMatching(
        /^warn .*the transport of doc failed to close \(nothing after 4000 ms\)/,
      ),
    ]);
  });
});

describe("a message that cannot be handled", () => {
  it("is skipped, said once, and those behind it are taken", async () => {
    let controller: ReadableStreamDefaultController<Message> | undefined;
    const { url, log } = await startInstance({
      joinTimeout: 10,
      syncTransportFactory: {
        createTransport: async () => ({
          readable: new ReadableStream<Message>({ start: (its) => void (controller = its) }),
          writable: new WritableStream(),
        }),
        close: async () => {},
      },
    });
    const editor = connectEditor(url, "doc");
    await editor.synced;
    const doc = new Y.Doc();
    doc.getText("text").insert(0, "still here");
    const update = { kind: "update", sender: "aaaaaaaaaaaaaaaa", epoch: 1 } as const;
    const broken = { ...update, seq: 1, frames: [null] } as unknown as Message;
    const frames = [encodeUpdateFrame(Y.encodeStateAsUpdate(doc))];
    for (const message of [broken, broken, { ...update, seq: 2, frames }]) {
      controller?.enqueue(message);
    }
    await editor.until((text) => text === "still here");
    expect(log).toEqual([
      expect.stringContaining("a message for doc (update) could not be handled"),
    ]);
  });
});
