import { connect, nkeyAuthenticator, nkeys } from "@nats-io/transport-node";
import { describe, expect, it } from "vitest";
import { silentLogger } from "@teleportal/sync-core";
import { findNats, requireBroker, startNats } from "@teleportal/test-brokers";
import { openTransport, update } from "@teleportal/test-transports";
import { useNats } from "./use-nats.ts";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";

const requirement = requireBroker("NATS", findNats());

describe.skipIf(requirement.skip)(`sync-nats, connecting to a ${requirement.title}`, () => {
  const nats = useNats();
  const { fromUrl, from, closeAll } = nats;

  it("takes user and password, from the URL or beside it", async () => {
    await using guarded = await startNats({ users: [{ user: "me", password: "1:2@3/4,5 ü" }] });
    const server = `127.0.0.1:${guarded.port}`;
    const beside = { user: "me", pass: "1:2@3/4,5 ü" };
    for (const factory of [
      await fromUrl(guarded.url),
      await fromUrl(`${guarded.url},${server}`),
      await from([`nats://${server}`, server], { options: beside }),
      await from({ servers: server, name: "mine", ...beside }),
      await from({ port: guarded.port, ...beside }),
    ]) {
      expect(factory.status).toBe("connected");
    }
    const { connections } = await guarded.monitor("/connz");
    expect(connections).toContainEqual(expect.objectContaining({ name: "mine" }));
  });

  it("takes a token, from the URL or beside it", async () => {
    await using guarded = await startNats({ token: "to/k@en" });
    expect((await fromUrl(guarded.url)).status).toBe("connected");
    const connection = `127.0.0.1:${guarded.port}`;
    expect((await from(connection, { options: { token: "to/k@en" } })).status).toBe("connected");
  });

  it("takes an authenticator, such as for an NKey", async () => {
    const pair = nkeys.createUser();
    await using guarded = await startNats({ users: [{ nkey: pair.getPublicKey() }] });
    const authenticator = nkeyAuthenticator(pair.getSeed());
    expect((await fromUrl(guarded.url)).status).toBe("degraded");
    const factory = await fromUrl(guarded.url, silentLogger, { options: { authenticator } });
    expect(factory.status).toBe("connected");
  });

  it("speaks TLS to tls://, and to nobody who does not", async () => {
    await using secure = await startNats({ tls: true });
    const { ca = "" } = secure;
    const options = { options: { tls: { ca } } };
    const a = await openTransport(await fromUrl(secure.url, silentLogger, options), "doc");
    const b = await openTransport(await fromUrl(secure.url, silentLogger, options), "doc");
    await a.writer.write(update(A, 1, 1));
    expect(await b.next()).toMatchObject({ seq: 1 });
    // Without trusting the certificate there is no connection.
    expect((await fromUrl(secure.url)).status).toBe("degraded");
    expect((await fromUrl(nats.broker.url.replace("nats:", "tls:"))).status).toBe("degraded");
  });

  it("leaves a connection that was handed in open, and ends only its own subscriptions", async () => {
    await using own = await startNats();
    const connection = await connect({ servers: own.url, noEcho: true });
    connection.subscribe("theirs", { callback() {} });
    const factory = await from(connection);
    const a = await openTransport(factory, "doc");
    const b = await openTransport(await fromUrl(own.url, silentLogger), "doc");
    await a.writer.write(update(A, 1, 1));
    expect(await b.next()).toMatchObject({ seq: 1 });
    await b.writer.write(update(B, 1, 1));
    expect(await a.next()).toMatchObject({ sender: B });
    expect(factory.metrics.echoes).toBe(0);
    await closeAll();
    await connection.flush();
    expect(await own.subjects()).toEqual(["theirs"]);
    await connection.close();
  });

  it("tells its own messages on a connection that was handed in without `noEcho`", async () => {
    const connection = await connect({ servers: nats.broker.url });
    const factory = await from(connection);
    const a = await openTransport(factory, "doc");
    const b = await openTransport(await fromUrl(), "doc");
    await a.writer.write(update(A, 1, 1));
    await b.next();
    await b.writer.write(update(B, 1, 1));
    expect(await a.next()).toMatchObject({ sender: B });
    expect(factory.metrics.echoes).toBeGreaterThan(0);
    await factory.close();
    await connection.close();
  });

  it("follows a connection that was handed in through an interruption, and to its end", async () => {
    await using own = await startNats();
    const options = { servers: own.url, noEcho: true, maxReconnectAttempts: -1 };
    const connection = await connect({ ...options, reconnectTimeWait: 50 });
    const factory = await from(connection);
    const document = await openTransport(factory, "doc");
    await own.kill();
    expect(await document.next()).toEqual({ kind: "down" });
    await own.restart();
    expect(await document.next()).toEqual({ kind: "up" });
    expect(await own.subjects()).toContain("teleportal:sync:doc");
    await connection.close();
    expect(await document.next()).toEqual({ kind: "down" });
    await expect(from(connection)).rejects.toThrow("the connection handed in is closed");
  });

  it("refuses what cannot work, with the remedy, and without the password", async () => {
    await expect(fromUrl("http://localhost")).rejects.toThrow(
      "[sync-nats] the connection string has the scheme http:: use nats://host:4222, or tls://",
    );
    const broken: unknown = await fromUrl("nats://me:s3cret@host:port").catch((e: unknown) => e);
    expect(String(broken)).toContain("is not a URL: use nats://");
    expect(JSON.stringify([broken, Object(broken).cause])).not.toContain("s3cret");
    await expect(fromUrl("nats://%zz@host")).rejects.toThrow("not percent-encoded");
    await expect(fromUrl("nats://a:b@h1,nats://c:d@h2")).rejects.toThrow("use the same");
    await expect(fromUrl("")).rejects.toThrow("names no host");
    for (const options of [{ noEcho: false }, { reconnect: false }, { maxReconnectAttempts: 5 }]) {
      await expect(fromUrl(nats.broker.url, silentLogger, { options })).rejects.toThrow(
        "leave it out",
      );
    }
    await expect(
      fromUrl(nats.broker.url, silentLogger, { options: { reconnectToServer: () => null } }),
    ).rejects.toThrow("order `servers`");
    await expect(from({ servers: nats.broker.url, port: 4222 })).rejects.toThrow("into the URL");
    const connection = await connect({ servers: nats.broker.url });
    await expect(from(connection, { options: {} })).rejects.toThrow("have no effect");
    await connection.close();
  });
});
