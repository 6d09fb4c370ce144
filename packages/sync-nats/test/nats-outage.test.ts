import { describe, expect, it } from "vitest";
import { isPeerMessage } from "@teleportal/sync-core";
import { findNats, freePort, requireBroker, startNats } from "@teleportal/test-brokers";
import { createLog, openTransport, reached, update } from "@teleportal/test-transports";
import { openLink } from "@teleportal/sync-core/conformance";
import { useNats } from "./use-nats.ts";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";

/** Of the NATS client if not told otherwise, in milliseconds: what it would take at least. */
const DEFAULT_PING_INTERVAL = 120_000;

const requirement = requireBroker("NATS", findNats());

describe.skipIf(requirement.skip)(`sync-nats on a ${requirement.title}`, () => {
  const nats = useNats();
  const { fromUrl } = nats;

  it("that is away at the start is no reason to wait, and is connected to when it comes", async () => {
    const port = await freePort();
    const { lines, logger } = createLog();
    const factory = await fromUrl(`nats://127.0.0.1:${port}`, logger);
    expect(factory.status).toBe("degraded");
    const document = await openTransport(factory, "doc");
    expect(await document.next()).toEqual({ kind: "down" });
    expect(lines).toEqual([
      expect.stringMatching(
        /^\[sync-nats\] the broker cannot be reached \(connection refused\): local/,
      ),
    ]);
    await using late = await startNats({ port });
    expect(await document.next()).toEqual({ kind: "up" });
    const other = await openTransport(await fromUrl(late.url), "doc");
    await other.writer.write(update(B, 1, 1));
    expect(await document.next()).toMatchObject({ sender: B });
    expect(lines.slice(1)).toEqual(["[sync-nats] connected"]);
  });

  it("that refuses the password is degraded with one line that says why, until it is accepted", async () => {
    await using guarded = await startNats({ users: [{ user: "me", password: "right" }] });
    const { lines, logger } = createLog();
    const factory = await fromUrl(`nats://me:wrong@127.0.0.1:${guarded.port}`, logger);
    expect(factory.status).toBe("degraded");
    await guarded.restart({ users: [{ user: "me", password: "wrong" }] });
    await reached(factory, "connected");
    await openTransport(factory, "doc");
    await guarded.restart({ users: [{ user: "me", password: "right" }] });
    // Refused more often than nats.js by itself would try.
    const attempts = async () => Number((await guarded.monitor("/varz"))["total_connections"]);
    await expect.poll(attempts, { timeout: 10_000 }).toBeGreaterThan(3);
    expect(factory.status).toBe("degraded");
    await guarded.restart({ users: [{ user: "me", password: "wrong" }] });
    await reached(factory, "connected");
    expect(lines).toEqual([
      expect.stringMatching(/cannot be reached \('?Authorization Violation'?\)/),
      "[sync-nats] connected",
      expect.stringMatching(/cannot be reached/),
      "[sync-nats] connected",
    ]);
  });

  it("that goes and comes back has every subscription again before it is called connected", async () => {
    await using own = await startNats();
    await using link = await openLink(own);
    const factory = await fromUrl(`nats://127.0.0.1:${link.port}`);
    const documents = await Promise.all(
      Array.from({ length: 1200 }, (_, i) => openTransport(factory, `doc${i}`)),
    );
    await link.cut();
    await reached(factory, "degraded");
    await link.heal();
    await reached(factory, "connected");
    expect(await own.subjects()).toHaveLength(1201);
    for (const { next } of documents.slice(0, 3)) {
      expect([await next(), await next()]).toEqual([{ kind: "down" }, { kind: "up" }]);
    }
  });

  it("gives up a subscription that was closed while it was away", async () => {
    await using own = await startNats();
    const factory = await fromUrl(own.url);
    const closing = await openTransport(factory, "closing");
    await openTransport(factory, "staying");
    await own.kill();
    await reached(factory, "degraded");
    await closing.writer.close();
    await own.restart();
    await reached(factory, "connected");
    expect(await own.subjects()).toEqual([
      "teleportal:sync:%00instances",
      "teleportal:sync:staying",
    ]);
  });

  it("that went dark is found in seconds, and replaced", { timeout: 40_000 }, async () => {
    await using link = await openLink(nats.broker);
    const factory = await fromUrl(`nats://127.0.0.1:${link.port}`);
    const document = await openTransport(factory, "doc");
    await link.darken();
    const darkened = performance.now();
    await reached(factory, "degraded");
    expect(performance.now() - darkened).toBeLessThan(DEFAULT_PING_INTERVAL / 4);
    await link.heal();
    await reached(factory, "connected");
    const other = await openTransport(await fromUrl(), "doc");
    await other.writer.write(update(B, 1, 1));
    expect([await document.next(), await document.next()]).toEqual([
      { kind: "down" },
      { kind: "up" },
    ]);
    expect(await document.next()).toMatchObject({ sender: B });
  });

  it("never delivers later what could not be published while it was away", async () => {
    await using own = await startNats();
    await using link = await openLink(own);
    const factory = await fromUrl(`nats://127.0.0.1:${link.port}`);
    const from = await openTransport(factory, "doc");
    const to = await openTransport(await fromUrl(own.url), "doc");
    await link.cut();
    // The transport does not know yet, later it does: nothing of either may be kept.
    for (let seq = 1; seq <= 10; seq++) await from.writer.write(update(A, seq, seq));
    await reached(factory, "degraded");
    for (let seq = 11; seq <= 20; seq++) await from.writer.write(update(A, seq, seq));
    await link.heal();
    await reached(factory, "connected");
    while ((await from.next()).kind !== "up");
    await from.writer.write(update(A, 21, 21));
    expect(await to.next()).toMatchObject({ seq: 21 });
  });

  it("keeps its connection when this process stands still", async () => {
    const factory = await fromUrl();
    const statuses: string[] = [];
    factory.onStatus((status) => void statuses.push(status));
    const document = await openTransport(factory, "doc");
    const until = performance.now() + 4000;
    while (performance.now() < until);
    const other = await openTransport(await fromUrl(), "doc");
    await other.writer.write(update(B, 1, 1));
    let message = await document.next();
    while (!isPeerMessage(message)) message = await document.next();
    expect(message).toMatchObject({ sender: B });
    expect(statuses).toEqual([]);
  });

  it("closes as often as it is asked to, also while it is away or dark", async () => {
    await using link = await openLink(nats.broker);
    const dark = await fromUrl(`nats://127.0.0.1:${link.port}`);
    await openTransport(dark, "doc");
    await link.darken();
    const neverHeard = await fromUrl(`nats://127.0.0.1:${link.port}`);
    const plain = await fromUrl();
    await openTransport(plain, "doc");
    const away = await fromUrl(`nats://127.0.0.1:${await freePort()}`);
    for (const factory of [plain, away, neverHeard, dark]) {
      await Promise.all([factory.close(), factory.close()]);
      await factory.close();
      expect(factory.status).toBe("closed");
      await expect(factory.createTransport("doc")).rejects.toThrow("closed");
    }
    // Neither the connection nor an attempt at one is left.
    await expect.poll(() => link.connections).toBe(0);
  });
});
