import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { findNats, requireBroker, startNats, startNatsCluster } from "@teleportal/test-brokers";

const nats = requireBroker("NATS", findNats());

interface Client extends Disposable {
  /** Says lines and a `PING`; resolves with what comes before the `PONG`. */
  ask(...lines: readonly string[]): Promise<string>;
}

/** A client that speaks the protocol's text, so that these tests need no library. */
async function open(port: number, options: Record<string, unknown> = {}): Promise<Client> {
  const socket = connect(port, "127.0.0.1");
  let heard = "";
  socket.on("data", (bytes) => {
    heard += bytes.toString();
  });
  socket.on("error", () => {});
  await once(socket, "data");
  socket.write(`CONNECT ${JSON.stringify({ verbose: false, ...options })}\r\n`);
  heard = "";
  return {
    async ask(...lines) {
      socket.write([...lines, "PING", ""].join("\r\n"));
      while (!heard.includes("PONG\r\n")) {
        if (socket.closed) throw new Error(`closed after: ${heard}`);
        await Promise.race([once(socket, "data"), once(socket, "close")]);
      }
      const [before = "", ...after] = heard.split("PONG\r\n");
      heard = after.join("PONG\r\n");
      return before;
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

describe.skipIf(nats.skip)(nats.title, () => {
  it("carries messages on a port of its own", async () => {
    await using first = await startNats();
    await using second = await startNats();
    expect(first.port).not.toBe(second.port);
    expect(first.version).toMatch(/^\d+\.\d+\.\d+/);
    using subscriber = await open(first.port);
    await subscriber.ask("SUB a 1");
    expect(await first.subjects()).toEqual(["a"]);
    expect(await first.connections()).toBe(1);
    expect(await second.subjects()).toEqual([]);
    using publisher = await open(first.port);
    await publisher.ask("PUB a 2\r\nhi");
    expect(await subscriber.ask()).toBe("MSG a 1 2\r\nhi\r\n");
  });

  it("admits those who are named, for what they may do", async () => {
    const permissions = { publish: { deny: ["a"] } };
    await using broker = await startNats({
      users: [{ user: "me", password: "se:cr/et", permissions }],
    });
    expect(broker.url).toBe(`nats://me:se%3Acr%2Fet@127.0.0.1:${broker.port}`);
    using stranger = await open(broker.port);
    await expect(stranger.ask()).rejects.toThrow("Authorization Violation");
    using me = await open(broker.port, { user: "me", pass: "se:cr/et" });
    expect(await me.ask("PUB b 0\r\n")).toBe("");
    expect(await me.ask("PUB a 0\r\n")).toContain("Permissions Violation");
    await broker.restart({ users: [{ user: "me", password: "changed" }] });
    using again = await open(broker.port, { user: "me", pass: "changed" });
    expect(await again.ask("PUB a 0\r\n")).toBe("");
  });

  it("asks for a token", async () => {
    await using broker = await startNats({ token: "s3cret" });
    expect(broker.url).toBe(`nats://s3cret@127.0.0.1:${broker.port}`);
    using me = await open(broker.port, { auth_token: "s3cret" });
    expect(await me.ask()).toBe("");
  });

  it("keeps to a limit of the payload", async () => {
    await using broker = await startNats({ maxPayload: 1000 });
    expect(await broker.monitor("/varz")).toMatchObject({ max_payload: 1000 });
  });

  it("that is paused answers when it is resumed, and not before", async () => {
    await using broker = await startNats();
    using client = await open(broker.port);
    await client.ask();
    broker.pause();
    // Its threads stop a moment after the signal: another server's start takes longer than that.
    await using other = await startNats();
    using witness = await open(other.port);
    let answered = false;
    const answer = client.ask().then(() => {
      answered = true;
    });
    // A server that runs answers within one turn of this other one's.
    await witness.ask();
    expect(answered).toBe(false);
    broker.resume();
    await answer;
  });

  it("comes back on the same port", async () => {
    await using broker = await startNats();
    await broker.kill();
    await expect(broker.connections()).rejects.toThrow("fetch failed");
    await broker.restart();
    using client = await open(broker.port);
    expect(await client.ask()).toBe("");
  });

  it("says what it said when it does not come up", async () => {
    await expect(startNats({ config: { no_such_option: 1 } })).rejects.toThrow(
      /nats ended at its start: see what it said:[^]*no_such_option/,
    );
  });

  it("leaves nothing behind", async () => {
    const broker = await startNats({ tls: true });
    await broker.stop();
    await broker.stop();
    await expect(broker.connections()).rejects.toThrow("fetch failed");
  });

  it("carries messages from node to node of a cluster, also of one that came back", async () => {
    await using cluster = await startNatsCluster(3);
    const [first, second, third] = cluster.nodes;
    if (!first || !second || !third) throw new Error("there are not three nodes");
    expect(cluster.url.split(",")).toHaveLength(3);
    await third.kill();
    await third.restart();
    using subscriber = await open(first.port);
    await subscriber.ask("SUB a 1");
    using publisher = await open(third.port);
    // The node may hear of the subscription later than its subscriber.
    let heard = "";
    while (heard === "") {
      await publisher.ask("PUB a 2\r\nhi");
      heard = await subscriber.ask();
    }
    expect(heard).toContain("MSG a 1 2\r\nhi\r\n");
  });
});
