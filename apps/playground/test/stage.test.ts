import { request } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { inOwnProcess, openStage, parseBrokerUrl } from "../src/stage/index.ts";
import type { Stage } from "../src/stage/index.ts";
import type { PlaceEvent } from "../src/stage-contract.ts";

async function open(module: string): Promise<Stage> {
  const start = inOwnProcess(new URL(`./instances/${module}`, import.meta.url), () => ({}));
  const stage = await openStage({ backend: "Test", start, port: 0 });
  onTestFinished(stage.close);
  return stage;
}

/** What the stage says of a place, until `wanted` holds. */
async function follow(
  stage: Stage,
  name: string,
  wanted: (event: PlaceEvent) => boolean,
): Promise<void> {
  const ended = new AbortController();
  const { body } = await fetch(`${stage.url}/stage/${name}/events`, { signal: ended.signal });
  if (body === null) throw new Error("the stage has sent nothing");
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    const found = events.some((event) => wanted(JSON.parse(event.slice(6)) as PlaceEvent));
    if (found) break;
  }
  ended.abort();
}

/** As no browser's `fetch` would send it. */
function ask(
  stage: Stage,
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request(`${stage.url}${path}`, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asking.once("error", reject);
    asking.end();
  });
}

describe("the stage", () => {
  it("does not open when an instance ends before it listens, and says so", async () => {
    await expect(open("failing.js")).rejects.toThrow("[playground] the instance has ended with 7");
  });

  it("shows an instance that ends by itself as not running, and starts it again when asked", async () => {
    const stage = await open("listening.js");
    const url = stage.description.places[0]?.url.replace("ws:", "http:");
    await follow(stage, "A", ({ running }) => running);
    await expect(fetch(`${url}/end`)).rejects.toThrow();
    await follow(stage, "A", ({ running }) => !running);
    expect((await fetch(`${stage.url}/stage/A/restart`, { method: "POST" })).status).toBe(204);
    await follow(stage, "A", ({ running }) => running);
    expect((await fetch(`${url}/`)).status).toBe(404);
  });

  it("obeys its own page only", async () => {
    const stage = await open("listening.js");
    const { host, port } = new URL(stage.url);
    const restart = (headers: Record<string, string>): Promise<number> =>
      ask(stage, "POST", "/stage/A/restart", headers);
    expect(await restart({ origin: "https://elsewhere.example" })).toBe(403);
    expect(await restart({ origin: "null" })).toBe(403);
    // A name of somebody else's that resolves to this machine.
    const rebound = `elsewhere.example:${port}`;
    expect(await restart({ host: rebound, origin: `http://${rebound}` })).toBe(403);
    expect(await ask(stage, "GET", "/stage/A/events", { host: rebound })).toBe(403);
    expect(await restart({ origin: `http://${host}` })).toBe(204);
    expect(await restart({ host: `localhost:${port}`, origin: `http://localhost:${port}` })).toBe(
      204,
    );
  });
});

describe("the URL of a broker that runs already", () => {
  const redis = { protocol: "redis:", port: 6379 } as const;

  it("is reached through the link with the same user, password and database", () => {
    const url = parseBrokerUrl("redis://user:secret@redis.example:6380/2", "REDIS_URL", redis);
    expect(url).toMatchObject({ host: "redis.example", port: 6380 });
    expect(url.through("127.0.0.1:4444")).toBe("redis://user:secret@127.0.0.1:4444/2");
  });

  it("has the usual port, and may be an IPv6 address", () => {
    expect(parseBrokerUrl("redis://[::1]", "REDIS_URL", redis)).toMatchObject({
      host: "::1",
      port: 6379,
    });
  });

  it.each([
    "rediss://redis.example",
    "redis+cluster://a:1,b:2",
    "redis://a,b",
    "redis://",
    "redis.example:6379",
    "nats://redis.example",
    "",
  ])("%j is refused without being repeated, as it may hold a password", (value) => {
    expect(() => parseBrokerUrl(value, "REDIS_URL", redis)).toThrow(
      "[playground] REDIS_URL does not name one server, unencrypted: write it as redis://user:password@host:6379",
    );
  });
});
