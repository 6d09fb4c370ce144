import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { SyncError } from "@teleportal/sync-core";
import { findRedis, requireBroker, startRedis } from "@teleportal/test-brokers";
import { parseConnectionString } from "../src/connection-string.ts";
import { recordDriver } from "./driver-recorder.ts";

describe("a connection string", () => {
  it("of a single Redis goes to ioredis as it is", () => {
    for (const url of [
      "redis://localhost",
      "rediss://u:p@h:1/2?family=6",
      "redis://:p@[::1]:6379",
    ]) {
      expect(parseConnectionString(url)).toEqual({ type: "single", url });
    }
  });

  it("of a cluster names some of its nodes, a user and a password", () => {
    expect(
      parseConnectionString("redis+cluster://us%40er:p%2Fa%2Css@h1:7000,h2,[::1]:7001/"),
    ).toEqual({
      type: "cluster",
      seeds: [
        { host: "h1", port: 7000 },
        { host: "h2", port: 6379 },
        { host: "::1", port: 7001 },
      ],
      options: { username: "us@er", password: "p/a,ss" },
    });
    expect(parseConnectionString("REDISS+CLUSTER://host/0")).toEqual({
      type: "cluster",
      seeds: [{ host: "host", port: 6379 }],
      options: { tls: {} },
    });
  });

  it("of Sentinels names the master, its password and a database", () => {
    expect(parseConnectionString("redis+sentinel://:p:w@s1:26380,s2/my%20master?db=3")).toEqual({
      type: "sentinel",
      options: {
        sentinels: [
          { host: "s1", port: 26380 },
          { host: "s2", port: 26379 },
        ],
        name: "my master",
        db: 3,
        password: "p:w",
      },
    });
    expect(parseConnectionString("rediss+sentinel://u@s1/m")).toEqual({
      type: "sentinel",
      options: {
        sentinels: [{ host: "s1", port: 26379 }],
        name: "m",
        db: 0,
        username: "u",
        tls: {},
        sentinelTLS: {},
        enableTLSForSentinelMode: true,
      },
    });
  });

  const REFUSED: [text: string, failure: string, remedy: string][] = [
    ["", "is not a URL", "use redis://host:6379/0"],
    ["localhost:6379", "is not a URL", "use redis://host:6379/0"],
    ["redis://:hunter2@h:port", "is not a URL", "use redis://host:6379/0"],
    ["redis://:hunter2@h1:1,h2:2", "is not a URL", "several nodes need another scheme"],
    ["http://:hunter2@h", "has the scheme http:", "use redis://host:6379/0"],
    [
      "redis://:hunter2@h?enableOfflineQueue=true",
      "a parameter that is not known",
      "use only ?db=",
    ],
    ["redis://:hunter2@h?lazyConnect=true", "a parameter that is not known", "use only ?db="],
    [
      "redis+cluster://:hunter2@",
      "a host that cannot be read",
      "separate host:port pairs by commas",
    ],
    ["redis+cluster://:hunter2@h1:1,,h2:2", "a host that cannot be read", "separate"],
    ["redis+cluster://:hunter2@h1:0", "a host that cannot be read", "separate"],
    ["redis+cluster://:hunter2@h1:65536", "a host that cannot be read", "separate"],
    ["redis+cluster://:hun/ter2@h1:1", "a host that cannot be read", "escape"],
    ["redis+cluster://:hunter2@::1:1", "a host that cannot be read", "IPv6 addresses in [ ]"],
    ["redis+cluster://:hunter2@h1/1", "names a database", "leave it out"],
    ["redis+cluster://:hunter2@h1?db=0", "a parameter that is not known", "put it into `options`"],
    ["redis+cluster://:hunter2%@h1", "password has a % that begins no escape", "write %25"],
    ["redis+sentinel://:hunter2@s1", "does not say which master", "mymaster"],
    ["redis+sentinel://:hunter2@s1/m?db=x", "db is not a number", "use ?db=0"],
    ["redis+sentinel://:hunter2@s1/m?hunter2=1", "a parameter that is not known", "use only ?db="],
  ];

  it.each(REFUSED)(
    "such as %j is refused with the remedy, and shows no password",
    (text, failure, remedy) => {
      let error: unknown;
      try {
        parseConnectionString(text);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(SyncError);
      expect(String(error)).toContain(`[sync-redis] the connection string`);
      expect(String(error)).toContain(failure);
      expect(String(error)).toContain(remedy);
      expect(inspect(error, { depth: 10 })).not.toMatch(/hun\/?ter2@|:hunter2|hunter2=/);
    },
  );

  const redis = requireBroker("Redis", findRedis());
  it.skipIf(redis.skip)("of a cluster that leads to a single Redis says so", async () => {
    await using single = await startRedis();
    const { driver, cause } = await recordDriver({
      connection: `redis+cluster://127.0.0.1:${single.port}`,
    });
    await driver.close();
    expect(String(cause)).toContain(
      "is not a node of a Redis Cluster: use redis:// for a single Redis",
    );
  });
});
