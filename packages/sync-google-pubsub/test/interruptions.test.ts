import { openLink } from "@teleportal/sync-core/conformance";
import { silentLogger } from "@teleportal/sync-core";
import { freePort, startGooglePubsub } from "@teleportal/test-brokers";
import { createLog, openTransport, reached, update } from "@teleportal/test-transports";
import { describe, expect, it, vi } from "vitest";
import { A, B, connected, pubsub, TOPIC, urlOf, useEmulator } from "./emulator.ts";

describe.skipIf(pubsub.skip)(`a ${pubsub.title}`, () => {
  const emulator = useEmulator();
  const { fromUrl, subscriptionsOf } = emulator;

  it("that is away at the start is no reason to wait, and is connected to when it comes", async () => {
    const port = await freePort();
    const { lines, logger } = createLog();
    const factory = await fromUrl(urlOf({ host: "127.0.0.1", port }), logger);
    expect(factory.status).toBe("degraded");
    const document = await openTransport(factory, "doc");
    expect(await document.next()).toEqual({ kind: "down" });
    expect(lines).toEqual([
      expect.stringMatching(
        /^\[sync-google-pubsub\] the broker cannot be reached \(.*ECONNREFUSED.*\): local/,
      ),
    ]);
    await using late = await startGooglePubsub({ port });
    expect(await document.next()).toEqual({ kind: "up" });
    const other = await openTransport(await fromUrl(urlOf(late)), "doc");
    await other.writer.write(update(B, 1, 1));
    expect(await document.next()).toMatchObject({ sender: B });
    expect(lines.slice(1)).toEqual(["[sync-google-pubsub] connected"]);
  });

  it("that was cut off is degraded until messages flow again, and what was said meanwhile is not said later", async () => {
    await using link = await openLink(emulator.broker);
    const factory = await fromUrl(urlOf(link));
    const a = await openTransport(factory, "doc");
    const b = await openTransport(await fromUrl(), "doc");
    await a.writer.write(update(A, 1, 1));
    expect(await b.next()).toMatchObject({ seq: 1 });
    await link.cut();
    await reached(factory, "degraded");
    expect(await a.next()).toEqual({ kind: "down" });
    await a.writer.write(update(A, 2, 2));
    await link.heal();
    expect(await a.next()).toEqual({ kind: "up" });
    expect(factory.status).toBe("connected");
    await a.writer.write(update(A, 3, 3));
    expect(await b.next()).toMatchObject({ seq: 3 });
    await b.writer.write(update(B, 1, 1));
    expect(await a.next()).toMatchObject({ sender: B });
  });

  it("that was cut off leaves no subscription of the time before", async () => {
    const topic = "cut-off";
    await using link = await openLink(emulator.broker);
    const factory = await fromUrl(urlOf(link), silentLogger, { topic });
    const before = await subscriptionsOf(topic);
    await link.cut();
    await reached(factory, "degraded");
    await link.heal();
    await connected(factory);
    await vi.waitUntil(async () => (await subscriptionsOf(topic)).length === 1);
    expect(await subscriptionsOf(topic)).not.toEqual(before);
  });

  it("that comes back empty has its topic and subscription made anew", async () => {
    await using own = await startGooglePubsub();
    const a = await fromUrl(urlOf(own));
    const b = await fromUrl(urlOf(own));
    const from = await openTransport(a, "doc");
    const to = await openTransport(b, "doc");
    await own.kill();
    await Promise.all([reached(a, "degraded"), reached(b, "degraded")]);
    await own.restart();
    await Promise.all([connected(a), connected(b)]);
    expect([await from.next(), await from.next()]).toEqual([{ kind: "down" }, { kind: "up" }]);
    expect([await to.next(), await to.next()]).toEqual([{ kind: "down" }, { kind: "up" }]);
    await from.writer.write(update(A, 1, 1));
    expect(await to.next()).toMatchObject({ seq: 1 });
    expect(await subscriptionsOf(TOPIC, own)).toHaveLength(2);
  });

  it("whose subscription an operator removes makes another", async () => {
    const topic = "without-subscription";
    const factory = await fromUrl(urlOf(emulator.broker), silentLogger, { topic });
    const document = await openTransport(factory, "doc");
    const [removed = ""] = await subscriptionsOf(topic);
    await emulator.broker.rest("DELETE", `subscriptions/${removed.split("/").at(-1)}`);
    expect([await document.next(), await document.next()]).toEqual([
      { kind: "down" },
      { kind: "up" },
    ]);
    expect(await subscriptionsOf(topic)).not.toContain(removed);
    const other = await openTransport(
      await fromUrl(urlOf(emulator.broker), silentLogger, { topic }),
      "doc",
    );
    await other.writer.write(update(B, 1, 1));
    expect(await document.next()).toMatchObject({ sender: B });
  });

  it("whose topic an operator removes makes another, and a publish that failed blocks no later one", async () => {
    const topic = "without-topic";
    const a = await openTransport(
      await fromUrl(urlOf(emulator.broker), silentLogger, { topic }),
      "doc",
    );
    await emulator.broker.rest("DELETE", `topics/${topic}`);
    await a.writer.write(update(A, 1, 1));
    // It is lost before or because the link is given up.
    const signals = new Set<string>();
    while (!signals.has("up")) signals.add((await a.next()).kind);
    expect([...signals].toSorted()).toEqual(["down", "lost", "up"]);
    const b = await openTransport(
      await fromUrl(urlOf(emulator.broker), silentLogger, { topic }),
      "doc",
    );
    await a.writer.write(update(A, 2, 2));
    expect(await b.next()).toMatchObject({ seq: 2 });
  });

  it("that goes dark is found by its silence, and connected anew", async () => {
    await using link = await openLink(emulator.broker);
    const { lines, logger } = createLog();
    const factory = await fromUrl(urlOf(link), logger, {
      heartbeat: { interval: 200, deadline: 1000, lease: 3000 },
    });
    const a = await openTransport(factory, "doc");
    await link.darken();
    expect(await a.next()).toEqual({ kind: "down" });
    await link.heal();
    expect(await a.next()).toEqual({ kind: "up" });
    const b = await openTransport(await fromUrl(), "doc");
    await b.writer.write(update(B, 1, 1));
    expect(await a.next()).toMatchObject({ sender: B });
    expect(lines).toEqual([
      "[sync-google-pubsub] connected",
      "[sync-google-pubsub] nothing comes back from the broker: reconnecting",
      expect.stringContaining("the broker cannot be reached"),
      "[sync-google-pubsub] connected",
    ]);
  });
});
