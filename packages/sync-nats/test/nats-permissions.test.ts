import { connect } from "@nats-io/transport-node";
import { describe, expect, it } from "vitest";
import { findNats, requireBroker, startNats } from "@teleportal/test-brokers";
import { createLog, openTransport, reached, update } from "@teleportal/test-transports";
import { useNats } from "./use-nats.ts";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";

const requirement = requireBroker("NATS", findNats());

describe.skipIf(requirement.skip)(`sync-nats on a ${requirement.title}`, () => {
  const { fromUrl, from } = useNats();

  it("that may not be published to is logged once and stops nothing", async () => {
    await using own = await startNats({
      users: [
        { user: "reader", password: "pw", permissions: { publish: { deny: ["*"] } } },
        { user: "all", password: "pw" },
      ],
    });
    const { lines, logger } = createLog();
    const reader = await openTransport(await fromUrl(own.url, logger), "doc");
    const writer = await openTransport(await fromUrl(own.url.replace("reader", "all")), "doc");
    for (let seq = 1; seq <= 3; seq++) {
      await reader.writer.write(update(A, seq, seq));
      expect(await reader.next()).toEqual({ kind: "lost", direction: "out" });
    }
    await writer.writer.write(update(B, 1, 1));
    expect(await reader.next()).toMatchObject({ sender: B });
    expect(lines.filter((line) => line.includes("publish"))).toEqual([
      expect.stringContaining('Permissions Violation for Publish to "teleportal:sync:doc"'),
    ]);
  });

  it("that may publish one document but not another loses only the other's", async () => {
    await using own = await startNats({
      users: [
        {
          user: "some",
          password: "pw",
          permissions: { publish: { deny: ["teleportal:sync:secret"] } },
        },
      ],
    });
    const factory = await fromUrl(own.url);
    const [open1, secret] = [
      await openTransport(factory, "open"),
      await openTransport(factory, "secret"),
    ];
    const to = await openTransport(await fromUrl(own.url), "open");
    await Promise.all([secret.writer.write(update(A, 1, 1)), open1.writer.write(update(A, 1, 1))]);
    expect(await secret.next()).toEqual({ kind: "lost", direction: "out" });
    expect(await to.next()).toMatchObject({ seq: 1 });
    expect(factory.metrics.droppedOut).toBe(1);
  });

  it("that may not be subscribed to is logged once, and tried again", async () => {
    const denied = { subscribe: { deny: ["teleportal:sync:doc"] } };
    await using own = await startNats({
      users: [{ user: "me", password: "pw", permissions: denied }],
    });
    const { lines, logger } = createLog();
    const factory = await fromUrl(own.url, logger);
    const document = await openTransport(factory, "doc");
    expect(await document.next()).toEqual({ kind: "down" });
    const allowed = await openTransport(factory, "other");
    await own.restart({ users: [{ user: "me", password: "pw" }] });
    expect(await document.next()).toEqual({ kind: "up" });
    expect(await allowed.next()).toEqual({ kind: "down" });
    expect(lines.filter((line) => line.includes("subscribe"))).toEqual([
      expect.stringMatching(/subscribe on .* failed .*Permissions Violation/),
      "[sync-nats] subscribe works again",
    ]);
  });

  it("that takes a subscription away is not called connected until it has given it back", async () => {
    const denied = { subscribe: { deny: ["teleportal:sync:doc"] } };
    const me = { user: "me", password: "pw" };
    await using own = await startNats({ users: [me] });
    const connection = await connect({
      servers: `127.0.0.1:${own.port}`,
      user: "me",
      pass: "pw",
      noEcho: true,
      maxReconnectAttempts: -1,
    });
    const factory = await from(connection);
    await openTransport(factory, "doc");
    const statuses: string[] = [];
    factory.onStatus((status) => void statuses.push(status));
    const refusals = connection.status()[Symbol.asyncIterator]();
    await own.restart({ users: [{ ...me, permissions: denied }] });
    // When nats.js restores it, and when it is asked for again.
    for (let refused = 0; refused < 2;) {
      const { value } = await refusals.next();
      if (value?.type === "error") refused += 1;
    }
    expect(statuses).toEqual(["degraded"]);
    await own.restart({ users: [me] });
    await reached(factory, "connected");
    expect(await own.subjects()).toContain("teleportal:sync:doc");
    await factory.close();
    await connection.close();
  });
});
