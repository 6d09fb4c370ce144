import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { PubSub } from "@google-cloud/pubsub";
import { openLink } from "@teleportal/sync-core/conformance";
import { silentLogger, SyncError } from "@teleportal/sync-core";
import { createGooglePubsubServerSyncTransportFactory } from "@teleportal/sync-google-pubsub";
import { freePort } from "@teleportal/test-brokers";
import { createLog, openTransport, update } from "@teleportal/test-transports";
import { describe, expect, it, vi } from "vitest";
import { A, connected, pubsub, TOPIC, urlOf, useEmulator } from "./emulator.ts";

describe.skipIf(pubsub.skip)(`sync-google-pubsub on a ${pubsub.title}`, () => {
  const emulator = useEmulator();
  const { keep, fromUrl, subscriptionsOf } = emulator;

  it("carries messages between instances, whole and in order", async () => {
    const a = await openTransport(await fromUrl(), "doc");
    const b = await openTransport(await fromUrl(), "doc");
    for (let seq = 1; seq <= 1000; seq++) {
      await a.writer.write(update(A, seq, seq % 256, 0, 255));
      // Most turns publish one message, some several.
      if (seq % 3 !== 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (let seq = 1; seq <= 1000; seq++) {
      expect(await b.next()).toMatchObject(update(A, seq, seq % 256, 0, 255));
    }
  });

  it("carries a message of 5 MB in parts, and what comes behind it after it", async () => {
    const a = await openTransport(await fromUrl(), "doc");
    const b = await openTransport(await fromUrl(), "doc");
    const large = new Uint8Array(5_000_000).map((_, i) => i * 31);
    await a.writer.write({ kind: "update", sender: A, epoch: 1, seq: 1, frames: [large] });
    await a.writer.write(update(A, 2, 2));
    const first = await b.next();
    expect(first).toMatchObject({ seq: 1 });
    expect("frames" in first && Buffer.compare(first.frames[0] ?? large.slice(1), large)).toBe(0);
    expect(await b.next()).toMatchObject({ seq: 2 });
  });

  it("keeps apart ids that names in Pub/Sub or other ids could confuse", async () => {
    const long = "x".repeat(4095);
    const ids = [
      "a",
      "a/b",
      "%",
      "%0025",
      "%%",
      "a\nb",
      "a b",
      "ä",
      "文档",
      "👩‍👩‍👧",
      `${long}1`,
      `${long}2`,
    ];
    const left = await fromUrl();
    const right = await fromUrl();
    const documents = await Promise.all(ids.map((id) => openTransport(right, id)));
    for (const [i, id] of ids.entries()) {
      const from = await openTransport(left, id);
      await from.writer.write(update(A, i + 1, i));
      await from.writer.write(update(A, 1000 + i, i));
    }
    for (const [i, { next }] of documents.entries()) {
      // What had leaked from another document would come before the second of its own.
      expect([await next(), await next()]).toMatchObject([{ seq: i + 1 }, { seq: 1000 + i }]);
    }
  });

  it("needs one topic, and one subscription per instance, however many documents", async () => {
    const keyPrefix = "your-app:sync:";
    const first = await fromUrl(urlOf(emulator.broker), silentLogger, { keyPrefix });
    const second = await fromUrl(urlOf(emulator.broker), silentLogger, { keyPrefix });
    for (const factory of [first, second]) {
      for (let i = 0; i < 200; i++) await factory.createTransport(`doc${i}`);
    }
    const topics = (await emulator.broker.topics()).filter((name) => name.startsWith("your"));
    expect(topics).toEqual(["your-app.sync."]);
    const subscriptions = await subscriptionsOf("your-app.sync.");
    expect(subscriptions).toHaveLength(2);
    await first.close();
    expect(subscriptions).toContain((await subscriptionsOf("your-app.sync."))[0]);
    await second.close();
    expect(await subscriptionsOf("your-app.sync.")).toEqual([]);
  });

  it("removes the subscription of an instance that crashed, and of no other", async () => {
    const topic = "with-orphans";
    const living = await fromUrl(urlOf(emulator.broker), silentLogger, { topic });
    await emulator.broker.rest("PUT", "subscriptions/operators-own", {
      topic: `projects/test-project/topics/${topic}`,
    });
    const alive = await subscriptionsOf(topic);
    const script = `import { createGooglePubsubServerSyncTransportFactoryFromConnectionString as create }
        from "@teleportal/sync-google-pubsub";
      await create("${urlOf(emulator.broker)}", undefined, console, { topic: "${topic}" });
      setInterval(() => {}, 1000);`;
    const options = ["--import", "tsx", "--conditions", "@teleportal/source"];
    const child = spawn(process.execPath, [...options, "--input-type=module", "-e", script], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    const orphan = (await subscriptionsOf(topic)).filter((name) => !alive.includes(name));
    expect(orphan).toHaveLength(1);

    const { lines, logger } = createLog();
    const later = await fromUrl(urlOf(emulator.broker), logger, { topic, orphanPatience: 2000 });
    const expected = (await subscriptionsOf(topic)).filter((name) => !orphan.includes(name));
    expect(expected).toEqual(expect.arrayContaining(alive));
    await vi.waitUntil(async () => !(await subscriptionsOf(topic)).includes(orphan[0] ?? ""), {
      timeout: 15_000,
    });
    expect((await subscriptionsOf(topic)).toSorted()).toEqual(expected.toSorted());
    expect([living.status, later.status]).toEqual(["connected", "connected"]);
    expect(lines).toEqual(["[sync-google-pubsub] connected"]);
  });

  it("does not create a topic where it may not, and connects when an operator has", async () => {
    const settings = { topic: "made-by-others", createTopic: false };
    const { lines, logger } = createLog();
    const factory = await fromUrl(urlOf(emulator.broker), logger, settings);
    expect(factory.status).toBe("degraded");
    expect(lines).toEqual([
      expect.stringContaining(
        "topics/made-by-others does not exist: create it, or leave out `createTopic: false`",
      ),
    ]);
    expect(await emulator.broker.topics()).not.toContain("made-by-others");
    await emulator.broker.rest("PUT", "topics/made-by-others");
    await connected(factory);
    expect(lines.slice(1)).toEqual(["[sync-google-pubsub] connected"]);
  });

  it("takes what Pub/Sub delivers twice", async () => {
    const topic = "with-duplicates";
    const a = await openTransport(
      await fromUrl(urlOf(emulator.broker), silentLogger, { topic }),
      "doc",
    );
    const b = await openTransport(
      await fromUrl(urlOf(emulator.broker), silentLogger, { topic }),
      "doc",
    );
    const watcher = { topic: `projects/test-project/topics/${topic}` };
    await emulator.broker.rest("PUT", "subscriptions/watcher", watcher);
    await a.writer.write(update(A, 1, 1));
    expect(await b.next()).toMatchObject({ seq: 1 });
    const { receivedMessages } = (await emulator.broker.rest("POST", "subscriptions/watcher:pull", {
      maxMessages: 100,
    })) as { receivedMessages: { message: { data?: string; orderingKey?: string } }[] };
    const copies = receivedMessages
      .map(({ message: { data, orderingKey } }) => ({ data, orderingKey }))
      .filter(({ orderingKey }) => orderingKey?.endsWith("doc"));
    expect(copies).toHaveLength(1);
    await emulator.broker.rest("POST", `topics/${topic}:publish`, { messages: copies });
    await a.writer.write(update(A, 2, 2));
    expect([await b.next(), await b.next()]).toMatchObject([{ seq: 1 }, { seq: 2 }]);
  });

  it("takes the library's options, and PUBSUB_EMULATOR_HOST", async () => {
    const config = { projectId: "test-project" };
    const named = await createGooglePubsubServerSyncTransportFactory(
      { connection: { ...config, apiEndpoint: emulator.broker.endpoint } },
      undefined,
      silentLogger,
    );
    keep(named);
    vi.stubEnv("PUBSUB_EMULATOR_HOST", emulator.broker.endpoint);
    const fromEnvironment = await fromUrl("google-pubsub://test-project");
    const a = await openTransport(named, "doc");
    const b = await openTransport(fromEnvironment, "doc");
    await a.writer.write(update(A, 1, 1));
    expect(await b.next()).toMatchObject({ seq: 1 });
  });

  it("leaves a client that was handed in open", async () => {
    const client = new PubSub({ projectId: "test-project", apiEndpoint: emulator.broker.endpoint });
    const factory = await createGooglePubsubServerSyncTransportFactory(
      { connection: client },
      undefined,
      silentLogger,
    );
    const a = await openTransport(factory, "doc");
    const b = await openTransport(await fromUrl(), "doc");
    await a.writer.write(update(A, 1, 1));
    expect(await b.next()).toMatchObject({ seq: 1 });
    await factory.close();
    expect(await client.topic(TOPIC).exists()).toEqual([true]);
    await client.close();
  });

  it("refuses what cannot work, with the remedy", async () => {
    const refusals = {
      "my-project": "the connection string is not a URL: use google-pubsub://my-project",
      "redis://my-project": "the connection string has the scheme redis:: use google-pubsub://",
      "google-pubsub://": "the connection string names no project: use google-pubsub://",
      "google-pubsub://user:pw@my-project": "a user, password or port: leave them out",
      "google-pubsub://127.0.0.1:8085": "a user, password or port: leave them out",
      "google-pubsub://my-project/topic": "the connection string has a path: use",
      "google-pubsub://my-project?endpont=x":
        "the connection string has a parameter that is not known, or empty: use",
      "google-pubsub://my-project?topic=":
        "the connection string has a parameter that is not known, or empty: use",
      "google-pubsub://my-project?topic=google": '"google" cannot be a topic\'s name: use 3 to 255',
    };
    for (const [url, message] of Object.entries(refusals)) {
      await expect(fromUrl(url)).rejects.toThrow(`[sync-google-pubsub] `);
      await expect(fromUrl(url)).rejects.toThrow(message);
    }
    await expect(
      fromUrl(urlOf(emulator.broker), silentLogger, { topic: "no spaces" }),
    ).rejects.toThrow('"no spaces" cannot be a topic\'s name');
  });

  it("shows no secret of a connection string that it refuses", async () => {
    for (const url of [
      "google-pubsub://:hunter2@h:port",
      "google-pubsub://my-project?apiKey=hunter2",
      "google-pubsub://my-project/hunter2",
      "hunter2",
    ]) {
      const error: unknown = await fromUrl(url).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SyncError);
      expect(inspect(error, { depth: 10 })).not.toContain("hunter2");
    }
  });

  it("closes as often as it is asked to, also while it is away, dark or just being connected to", async () => {
    await using link = await openLink(emulator.broker);
    const connectedFactory = await fromUrl();
    await openTransport(connectedFactory, "doc");
    const away = await fromUrl(urlOf({ host: "127.0.0.1", port: await freePort() }));
    await openTransport(away, "doc");
    const dark = await fromUrl(urlOf(link), silentLogger, { topic: "in-the-dark" });
    await openTransport(dark, "doc");
    await link.darken();
    const waiting = await fromUrl(urlOf(link));
    expect(waiting.status).toBe("degraded");
    const all = [connectedFactory, away, dark, waiting];
    await Promise.all([...all, ...all].map((factory) => factory.close()));
    for (const factory of all) {
      await factory.close();
      expect(factory.status).toBe("closed");
    }
  });

  it("leaves nothing that would keep a process alive", async () => {
    const script = `import { createGooglePubsubServerSyncTransportFactoryFromConnectionString as create }
        from "@teleportal/sync-google-pubsub";
      for (const port of [${emulator.broker.port}, ${await freePort()}]) {
        const url = "google-pubsub://test-project?endpoint=127.0.0.1:" + port;
        const factory = await create(url, undefined, console, {});
        await factory.createTransport("doc");
        await factory.close();
      }
      console.log("closed");`;
    const options = ["--import", "tsx", "--conditions", "@teleportal/source"];
    const child = spawn(process.execPath, [...options, "--input-type=module", "-e", script], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    // An open handle would keep it until the test's own time is up.
    const [code] = await once(child, "exit");
    expect(output).toMatch(/connected\n[^]*cannot be reached[^]*closed\n$/);
    expect(output).not.toContain("Warning");
    expect(code).toBe(0);
  });
});
