import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { findRedis, requireBroker, startRedis } from "@teleportal/test-brokers";

const redis = requireBroker("Redis", findRedis());

describe.skipIf(redis.skip)(redis.title, () => {
  it("answers on a port of its own", async () => {
    await using first = await startRedis();
    await using second = await startRedis();
    expect(first.port).not.toBe(second.port);
    await first.command("SET", "key", "value");
    expect(await first.command("GET", "key")).toBe("value");
    expect(await second.command("GET", "key")).toBe(null);
  });

  it("with a password refuses who has none", async () => {
    await using broker = await startRedis({ password: "secret" });
    await using other = await startRedis();
    expect(await broker.command("PING")).toBe("PONG");
    await expect(other.command("AUTH", "secret", "x", "y")).rejects.toThrow();
  });

  it("comes back empty on the same port", async () => {
    await using broker = await startRedis();
    await broker.command("SET", "key", "value");
    await broker.restart();
    expect(await broker.command("GET", "key")).toBe(null);
    await broker.kill();
    await expect(broker.command("PING")).rejects.toThrow();
    await broker.restart();
    expect(await broker.command("PING")).toBe("PONG");
  });

  it("that is paused answers when it is resumed, and not before", async () => {
    await using broker = await startRedis();
    broker.pause();
    let answered = false;
    const answer = broker.command("PING").then(() => {
      answered = true;
    });
    // A Redis that runs answers within one turn of this other one's.
    await using other = await startRedis();
    await other.command("PING");
    expect(answered).toBe(false);
    broker.resume();
    await answer;
  });

  it("shows what it was told", async () => {
    await using broker = await startRedis();
    const monitor = await broker.monitor();
    await broker.command("publish", "room/1", "a b\0");
    await monitor.settled();
    expect(monitor.commands).toContainEqual(["PUBLISH", "room/1", "a b\\x00"]);
    monitor.stop();
  });

  it("says what it said when it does not come up", async () => {
    await expect(startRedis({ args: ["--no-such-option", "1"] })).rejects.toThrow(
      /redis ended at its start: see what it said:[^]*no-such-option/,
    );
  });

  it("is not mistaken for another on the same port", async () => {
    await using broker = await startRedis();
    await expect(startRedis({ port: broker.port })).rejects.toThrow("ended at its start");
    expect(await broker.command("PING")).toBe("PONG");
  });

  it("does not outlive a test process that is killed", async () => {
    const script = `import { startRedis } from "@teleportal/test-brokers";
      const broker = await startRedis();
      console.log(broker.port, (await broker.command("CONFIG", "GET", "dir"))[1]);
      setInterval(() => {}, 1000);`;
    const options = ["--import", "tsx", "--conditions", "@teleportal/source"];
    const child = spawn(process.execPath, [...options, "--input-type=module", "-e", script], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const [port, folder] = line.toString().trim().split(" ");
    child.kill("SIGKILL");
    await vi.waitUntil(() => !existsSync(folder ?? ""), { timeout: 5000 });
    const [refused] = (await once(connect(Number(port)), "error")) as [Error];
    expect(refused.message).toContain("ECONNREFUSED");
  });

  it("leaves nothing behind", async () => {
    const broker = await startRedis();
    const folder = (await broker.command("CONFIG", "GET", "dir")) as string[];
    expect(existsSync(folder[1] ?? "")).toBe(true);
    await broker.stop();
    await broker.stop();
    expect(existsSync(folder[1] ?? "")).toBe(false);
    await expect(broker.command("PING")).rejects.toThrow("ECONNREFUSED");
  });
});

describe("a broker that cannot be found", () => {
  afterEach(() => vi.unstubAllEnvs());
  const missing = { available: false, help: "apt-get install redis-server" } as const;

  it("is a skip that says what would help", () => {
    vi.stubEnv("REQUIRE_BROKERS", "");
    expect(requireBroker("Redis", missing)).toEqual({
      skip: true,
      title: "real Redis (skipped: apt-get install redis-server)",
    });
  });

  it("is a failure where brokers are required", () => {
    vi.stubEnv("REQUIRE_BROKERS", "1");
    expect(() => requireBroker("Redis", missing)).toThrow(
      "[test-brokers] there is no Redis and REQUIRE_BROKERS=1: apt-get install redis-server",
    );
  });
});
