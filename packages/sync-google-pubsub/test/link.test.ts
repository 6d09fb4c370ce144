import { describe, expect, it, vi } from "vitest";
import { createLink } from "../src/link.ts";
import { createFakeClients, grpcError } from "./fake-clients.ts";

const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;

function openFakeLink() {
  const { clients, control } = createFakeClients();
  const received: string[] = [];
  const broken = vi.fn();
  const link = createLink(
    clients,
    { topic: "topic", subscription: "mine", createTopic: true, patience: 10 },
    { message: (key, data) => void received.push(`${key}:${String(data)}`), broken },
  );
  return { link, control, received, broken };
}

describe("a link", () => {
  it("is open when a message of its own has come back, and acknowledges what it receives", async () => {
    const { link, control, received } = openFakeLink();
    await link.open();
    await link.publish("key", Uint8Array.of(1));
    expect(received).toEqual(["key:1"]);
    await vi.waitUntil(() => control.acknowledged.length === 2);
    link.end("done");
  });

  it("does not open when nothing can be published", async () => {
    const { link, control } = openFakeLink();
    control.failure = grpcError(PERMISSION_DENIED, "may not publish");
    await expect(link.open()).rejects.toThrow("may not publish");
    link.end("done");
  });

  it("takes another stream when Pub/Sub ends one on a whole connection, and tells nobody", async () => {
    const { link, control, received, broken } = openFakeLink();
    await link.open();
    control.streams[0]?.end(grpcError(UNAVAILABLE, "the server rotates its streams"));
    // Announces itself on the next stream, and so proves it.
    await vi.waitUntil(() => control.published.length === 2);
    await link.publish("key", Uint8Array.of(1));
    expect(received).toEqual(["key:1"]);
    expect(control.streams).toHaveLength(2);
    expect(broken).not.toHaveBeenCalled();
    link.end("done");
  });

  it("is broken when the connection goes with the stream, since that may have swallowed messages", async () => {
    const { link, control, broken } = openFakeLink();
    await link.open();
    control.connected = false;
    const cause = grpcError(UNAVAILABLE, "connection dropped");
    control.streams[0]?.end(cause);
    await vi.waitUntil(() => broken.mock.calls.length > 0);
    expect(broken).toHaveBeenCalledWith(cause);
    expect(control.streams).toHaveLength(1);
    link.end("done");
  });

  it("is broken when the next stream ends before it has proven itself", async () => {
    const { link, control, broken } = openFakeLink();
    await link.open();
    control.failure = grpcError(PERMISSION_DENIED, "may no longer publish");
    control.streams[0]?.end(grpcError(UNAVAILABLE));
    await vi.waitUntil(() => broken.mock.calls.length > 0);
    expect(broken).toHaveBeenCalledWith(control.failure);
    link.end("done");
  });

  it("delivers nothing after its end", async () => {
    const { link, control, received } = openFakeLink();
    await link.open();
    link.end(new Error("over"));
    control.streams[0]?.receive({ orderingKey: "key", data: Uint8Array.of(1) });
    expect(received).toEqual([]);
    await expect(link.publish("key", Uint8Array.of(1))).rejects.toThrow("over");
  });
});
