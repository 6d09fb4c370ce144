import { Writable } from "node:stream";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { silentLogger } from "@teleportal/sync-core";
import {
  createRedisServerSyncTransportFactory,
  createRedisServerSyncTransportFactoryFromConnectionString,
} from "@teleportal/sync-redis";
import { findRedis, requireBroker, startRedis } from "@teleportal/test-brokers";
import { openTransport, update, useBroker } from "@teleportal/test-transports";
import { releaseMuch, writeTogether } from "../src/write-together.ts";

const A = "aaaaaaaaaaaaaaaa";
const DOCUMENTS = 20;

const redis = requireBroker("Redis", findRedis());

describe.skipIf(redis.skip)("what is typed in many documents in one turn", () => {
  const used = useBroker(startRedis);

  it("is published in one system call", async () => {
    const publisher = new Redis(used.broker.url);
    onTestFinished(() => publisher.disconnect());
    const sending = used.keep(
      await createRedisServerSyncTransportFactory(
        { connection: publisher },
        undefined,
        silentLogger,
      ),
    );
    const receiving = used.keep(
      await createRedisServerSyncTransportFactoryFromConnectionString(
        used.broker.url,
        undefined,
        silentLogger,
      ),
    );
    const pairs = await Promise.all(
      Array.from({ length: DOCUMENTS }, async (_, i) => ({
        from: await openTransport(sending, `doc${i}`),
        to: await openTransport(receiving, `doc${i}`),
      })),
    );
    const single = vi.spyOn(publisher.stream, "_write");
    const several = vi.spyOn(publisher.stream, "_writev");
    for (const { from } of pairs) void from.writer.write(update(A, 1, 1));
    for (const { to } of pairs) expect(await to.next()).toMatchObject(update(A, 1, 1));
    // A heartbeat may fall into it.
    expect(single.mock.calls.length + several.mock.calls.length).toBeLessThanOrEqual(2);
    await used.closeAll();
  });
});

describe("what is written together", () => {
  function createClient() {
    const writes: string[][] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        writes.push([String(chunk)]);
        done();
      },
      writev(chunks, done) {
        writes.push(chunks.map(({ chunk }) => String(chunk)));
        done();
      },
    });
    return { client: { stream } as unknown as Redis, stream, writes };
  }

  it("goes out at the end, also when it has thrown on the way", () => {
    const { client, stream, writes } = createClient();
    const failure = new Error("the third cannot be written");
    expect(() =>
      writeTogether([client], () => {
        for (const text of ["a", "b"]) stream.write(text);
        expect(writes).toEqual([]);
        throw failure;
      }),
    ).toThrow(failure);
    expect(writes).toEqual([["a", "b"]]);
    stream.write("c");
    expect(writes).toEqual([["a", "b"], ["c"]]);
  });

  it("is not held back when it is much", () => {
    const { client, stream, writes } = createClient();
    const large = "x".repeat(20_000);
    writeTogether([client], () => {
      for (const text of [large, large, "behind"]) {
        stream.write(text);
        releaseMuch(client);
      }
      expect(writes).toEqual([[large, large]]);
    });
    expect(writes).toEqual([[large, large], ["behind"]]);
  });

  it("needs no socket", () => {
    let written = false;
    writeTogether([{ stream: undefined } as unknown as Redis], () => {
      written = true;
    });
    expect(written).toBe(true);
  });
});
