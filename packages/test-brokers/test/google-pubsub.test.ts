import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { findGooglePubsub, requireBroker, startGooglePubsub } from "@teleportal/test-brokers";

const pubsub = requireBroker("Google Pub/Sub emulator", findGooglePubsub());

describe.skipIf(pubsub.skip)(pubsub.title, () => {
  it("answers on a port and for a project of its own", async () => {
    await using first = await startGooglePubsub({ projectId: "first-project" });
    await using second = await startGooglePubsub();
    expect(first.endpoint).toBe(`127.0.0.1:${first.port}`);
    expect(first.port).not.toBe(second.port);
    expect(first.version ?? "0.0.0").toMatch(/^\d+\.\d+\.\d+$/);
    await first.rest("PUT", "topics/mine");
    await first.rest("PUT", "subscriptions/mine-too", {
      topic: "projects/first-project/topics/mine",
    });
    expect([await first.topics(), await first.subscriptions()]).toEqual([["mine"], ["mine-too"]]);
    expect([await second.topics(), await second.subscriptions()]).toEqual([[], []]);
    await expect(first.rest("GET", "topics/other")).rejects.toThrow("was answered 404");
  });

  it("comes back empty on the same port", async () => {
    await using broker = await startGooglePubsub();
    await broker.rest("PUT", "topics/mine");
    await broker.restart();
    expect(await broker.topics()).toEqual([]);
    await broker.kill();
    await expect(broker.topics()).rejects.toThrow("fetch failed");
    await broker.restart();
    expect(await broker.topics()).toEqual([]);
  });

  it("that is paused answers when it is resumed, and not before", async () => {
    await using broker = await startGooglePubsub();
    await using other = await startGooglePubsub();
    broker.pause();
    let answered = false;
    const answer = broker.topics().then(() => {
      answered = true;
    });
    // One that runs answers these, one after the other, in more than the time of the one above.
    for (let i = 0; i < 10; i++) await other.topics();
    expect(answered).toBe(false);
    broker.resume();
    await answer;
  });

  it("is not mistaken for another on the same port", async () => {
    await using broker = await startGooglePubsub();
    await expect(startGooglePubsub({ port: broker.port })).rejects.toThrow(
      `another server listens on port ${broker.port}`,
    );
    expect(await broker.topics()).toEqual([]);
  });

  it("does not outlive a test process that is killed", async () => {
    const script = `import { startGooglePubsub } from "@teleportal/test-brokers";
      console.log((await startGooglePubsub()).port);
      setInterval(() => {}, 1000);`;
    const options = ["--import", "tsx", "--conditions", "@teleportal/source"];
    const child = spawn(process.execPath, [...options, "--input-type=module", "-e", script], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    expect(await accepts(Number(line))).toBe(true);
    child.kill("SIGKILL");
    await vi.waitUntil(async () => !(await accepts(Number(line))), { timeout: 5000 });
  });
});

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
