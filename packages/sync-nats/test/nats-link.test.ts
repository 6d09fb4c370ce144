import { describe, expect, it } from "vitest";
import { readConnectionOptions } from "../src/connection-options.ts";
import type { NatsConnectionLike } from "../src/nats-connection-like.ts";
import { createOwnLink } from "../src/nats-link.ts";

const SERVERS = ["tls://nats.example", "tls://other.example:5222"];
const tls = { ca: "certificate" };
const options = readConnectionOptions(SERVERS, { noRandomize: true, tls });

/** As much of a connection as a link looks at. */
function connection(rest: Partial<NatsConnectionLike> = {}): NatsConnectionLike {
  const open: Partial<NatsConnectionLike> = { isClosed: () => false, ...rest };
  return open as NatsConnectionLike;
}

describe("a connection that the driver opens", () => {
  it("is to one server at a time, by its name, and fails when all of them have", async () => {
    const known = { listen: "10.0.0.2:4222", tlsName: "nats.example", gossiped: true };
    const attempts: unknown[] = [];
    let down = false;
    const link = createOwnLink(async (given) => {
      attempts.push({ servers: given.servers, tls: given.tls, reconnect: given.reconnect });
      if (down) throw new Error(`${String(given.servers)} is away`);
      return connection({ getServers: () => [known] });
    }, options);
    await link.connect();
    down = true;
    attempts.length = 0;
    await expect(link.connect()).rejects.toThrow("nats.example:4222 is away");
    expect(attempts).toEqual([
      { servers: ["other.example:5222"], tls, reconnect: false },
      { servers: ["10.0.0.2:4222"], tls: { ...tls, servername: "nats.example" }, reconnect: false },
      { servers: ["nats.example:4222"], tls, reconnect: false },
    ]);
  });

  it("is none if it is closed when it comes", async () => {
    const closed = connection({
      isClosed: () => true,
      closed: () => Promise.resolve(new Error("maximum connections exceeded")),
    });
    let attempts = 0;
    const link = createOwnLink(async () => {
      attempts += 1;
      return attempts === 1 ? closed : connection();
    }, options);
    expect((await link.connect()).isClosed()).toBe(false);
    const hopeless = createOwnLink(() => Promise.resolve(closed), options);
    await expect(hopeless.connect()).rejects.toThrow("maximum connections exceeded");
  });

  it("waits as it is told from one attempt to the next, also when that fails", async () => {
    const delays = [60_000, new Error("no delay")];
    const reconnectDelayHandler = (): number => {
      const next = delays.shift();
      if (typeof next === "number") return next;
      throw next;
    };
    const link = createOwnLink(async () => connection(), { ...options, reconnectDelayHandler });
    expect(link.retryDelay()).toBe(0);
    await link.connect();
    expect(link.retryDelay()).toBeGreaterThan(50_000);
    await expect(link.connect()).rejects.toThrow("no delay");
    expect(link.retryDelay()).toBeGreaterThan(0);
    expect(link.retryDelay()).toBeLessThanOrEqual(1000);
  });
});
