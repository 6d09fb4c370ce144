import { describe, expect, it } from "vitest";
import { createOrderedPublisher } from "../src/ordered-publisher.ts";
import type { OutgoingMessage } from "../src/pubsub-clients.ts";
import { grpcError } from "./fake-clients.ts";

const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;

/** Requests that the test answers one by one. */
function openPublisher() {
  const requests: { texts: string[]; succeed(): void; fail(cause: Error): void }[] = [];
  const arrivals: (() => void)[] = [];
  const publisher = createOrderedPublisher(
    {
      publish: (_topic: string, messages: OutgoingMessage[]) =>
        new Promise<void>((resolve, reject) => {
          const texts = messages.map(({ orderingKey, data }) => `${orderingKey}:${String(data)}`);
          requests.push({ texts, succeed: resolve, fail: reject });
          arrivals.shift()?.();
        }),
    },
    "topic",
  );
  return {
    publisher,
    requests,
    publish: (key: string, byte: number) => publisher.publish(key, Uint8Array.of(byte)),
    /** Resolves at the next request. */
    another: () => new Promise<void>((resolve) => arrivals.push(resolve)),
  };
}

describe("publishing in order", () => {
  it("has one request of a key under way, and sends what came meanwhile together", async () => {
    const { publish, requests, another } = openPublisher();
    const first = publish("key", 1);
    const rest = [publish("key", 2), publish("key", 3)];
    const other = publish("other", 4);
    expect(requests.map(({ texts }) => texts)).toEqual([["key:1"], ["other:4"]]);
    const next = another();
    requests[0]?.succeed();
    await first;
    await next;
    expect(requests[2]?.texts).toEqual(["key:2", "key:3"]);
    requests[1]?.succeed();
    requests[2]?.succeed();
    await Promise.all([...rest, other]);
  });

  it("goes on with a key after a request of it has failed", async () => {
    const { publish, requests, another } = openPublisher();
    const lost = publish("key", 1);
    const waiting = publish("key", 2);
    const next = another();
    requests[0]?.fail(grpcError(PERMISSION_DENIED, "not allowed"));
    await expect(lost).rejects.toThrow("not allowed");
    await next;
    requests[1]?.succeed();
    await waiting;
    const later = publish("key", 3);
    requests[2]?.succeed();
    await later;
    expect(requests.map(({ texts }) => texts)).toEqual([["key:1"], ["key:2"], ["key:3"]]);
  });

  it("repeats what Pub/Sub could not take for a moment, before what waits behind it", async () => {
    const { publish, requests, another } = openPublisher();
    const settled = Promise.all([publish("key", 1), publish("key", 2)]);
    const repeated = another();
    requests[0]?.fail(grpcError(UNAVAILABLE));
    await repeated;
    const next = another();
    requests[1]?.succeed();
    await next;
    requests[2]?.succeed();
    await settled;
    expect(requests.map(({ texts }) => texts)).toEqual([["key:1"], ["key:1"], ["key:2"]]);
  });

  it("puts many keys into few requests when many are under way, and never one key into two", async () => {
    const { publisher, publish, requests } = openPublisher();
    const all = Array.from({ length: 1000 }, (_, i) => publish(`key${i % 500}`, i >= 500 ? 2 : 1));
    // One for each of the first, and the rest of what waits behind them.
    expect(requests).toHaveLength(32);
    const drained = publisher.drained();
    for (let i = 0; i < requests.length; i++) {
      requests[i]?.succeed();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all([...all, drained]);
    expect(requests.length).toBeLessThan(100);
    const order = requests.flatMap(({ texts }) => texts);
    for (let i = 0; i < 500; i++) {
      expect(order.filter((text) => text.startsWith(`key${i}:`))).toEqual([
        `key${i}:1`,
        `key${i}:2`,
      ]);
    }
  });

  it("rejects what is under way and what waits when it ends", async () => {
    const { publisher, publish, requests } = openPublisher();
    const outcomes = Promise.allSettled([publish("key", 1), publish("key", 2)]);
    publisher.end(new Error("over"));
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    requests[0]?.succeed();
    await expect(publish("key", 3)).rejects.toThrow("over");
    expect(requests).toHaveLength(1);
    await publisher.drained();
  });
});
