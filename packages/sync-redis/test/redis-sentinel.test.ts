import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findRedis, requireBroker, startRedisSentinels } from "@teleportal/test-brokers";
import type { RedisBroker, RedisSentinels } from "@teleportal/test-brokers";
import { recordDriver } from "./driver-recorder.ts";
import type { RecordedDriver } from "./driver-recorder.ts";

const redis = requireBroker("Redis", findRedis());

describe.skipIf(redis.skip)(`sync-redis with Sentinels of a ${redis.title}`, () => {
  let sentinels: RedisSentinels;
  const drivers: RecordedDriver[] = [];
  const channels = Array.from({ length: 20 }, (_, i) => `teleportal:sync:doc${i}`);

  beforeAll(async () => {
    sentinels = await startRedisSentinels({ password: "pw" });
  });
  afterEach(async () => {
    await Promise.all(drivers.splice(0).map(({ driver }) => driver.close()));
  });
  afterAll(() => sentinels.stop());

  async function open(options: Partial<Parameters<typeof recordDriver>[0]> = {}) {
    const hosts = sentinels.sentinels.map(({ host, port }) => `${host}:${port}`).join(",");
    const driver = await recordDriver({
      connection: `redis+sentinel://:pw@${hosts}/${sentinels.name}`,
      ...options,
    });
    drivers.push(driver);
    return driver;
  }

  async function openPair(): Promise<[RecordedDriver, RecordedDriver]> {
    const pair: [RecordedDriver, RecordedDriver] = [await open(), await open()];
    for (const driver of pair) for (const channel of channels) await driver.subscribe(channel);
    return pair;
  }

  /** What either publishes on any channel reaches both, through `master`. */
  async function allLiveOn(
    master: RedisBroker,
    pair: readonly RecordedDriver[],
    when: string,
  ): Promise<void> {
    const live = await master.command("PUBSUB", "NUMSUB", ...channels);
    expect(live).toEqual(channels.flatMap((channel) => [channel, pair.length]));
    for (const [i, sender] of pair.entries()) {
      for (const channel of channels) {
        // Around a failover the number would leave out who is still at the other master.
        expect(await sender.publish(channel, `${when} ${i}`)).toBeUndefined();
      }
      for (const receiver of pair) {
        await Promise.all(channels.map((channel) => receiver.heard(channel, `${when} ${i}`)));
      }
    }
  }

  it("takes the Sentinels as ioredis options too", async () => {
    const { name } = sentinels;
    const driver = await open({
      connection: {
        sentinels: sentinels.sentinels.map(({ host, port }) => ({ host, port })),
        name,
        password: "pw",
      },
    });
    expect(driver.states).toEqual(["up"]);
  });

  it("follows a failover that is asked for, with every subscription live when it says so", async () => {
    const pair = await openPair();
    await allLiveOn(await sentinels.master(), pair, "before");
    const before = await sentinels.master();
    const promoted = await sentinels.failover("graceful");
    await Promise.all(pair.map((driver) => driver.said("down").then(() => driver.said("up", 2))));
    // Not when the Sentinels turn the old master into a replica and cut its clients off, ten seconds later.
    expect(await before.command("ROLE")).toContain("master");
    await allLiveOn(promoted, pair, "after");
  });

  it("follows the master's death, with one Sentinel dead as well", async () => {
    const pair = await openPair();
    const before = await sentinels.master();
    await sentinels.sentinels[0]?.kill();
    const failover = sentinels.failover("kill");
    await Promise.all(pair.map((driver) => driver.said("down")));
    await expect(pair[0].publish(channels[0] ?? "", "meanwhile")).rejects.toThrow(
      "publish without a connection",
    );
    const promoted = await failover;
    await Promise.all(pair.map((driver) => driver.said("up", 2)));
    await allLiveOn(promoted, pair, "after");
    await before.restart();
    await sentinels.sentinels[0]?.restart();
  });

  it("is not held up by a Sentinel that answers nothing", async () => {
    const [first] = sentinels.sentinels;
    first?.pause();
    try {
      const driver = await open({ options: { sentinelCommandTimeout: 200 } });
      await driver.said("up");
    } finally {
      first?.resume();
    }
  });

  it("closes while no Sentinel answers", async () => {
    for (const sentinel of sentinels.sentinels) await sentinel.kill();
    const driver = await open();
    expect(driver.states).toEqual(["down"]);
    expect(String(driver.cause)).toContain("All sentinels are unreachable");
    await driver.driver.close();
    for (const sentinel of sentinels.sentinels) await sentinel.restart();
  });
});
