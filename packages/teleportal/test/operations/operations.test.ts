import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemoryBus } from "@teleportal/sync-memory";
import { createOperations, listen } from "teleportal";
import type { InstanceSnapshot, OperationsOptions } from "teleportal";
import { describe, expect, it, onTestFinished } from "vitest";
import { connectEditor } from "../server/connect-editor.ts";
import { connectRaw } from "../server/raw-client.ts";
import { startInstance } from "../server/start-instance.ts";

/** An instance, and its operator's pages. */
async function startOperated(operations: OperationsOptions = {}) {
  const bus = createMemoryBus();
  const instance = await startInstance({ bus });
  const listener = await listen(instance.server, { port: 0, operations });
  onTestFinished(() => listener.close());
  const page = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`http://127.0.0.1:${listener.port}${path}`, init);
  return { ...instance, bus, page, document: `ws://127.0.0.1:${listener.port}` };
}

/** The samples of a text in Prometheus' format, by name and labels. */
function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.trim().split("\n")) {
    if (line.startsWith("#")) continue;
    const end = line.lastIndexOf(" ");
    samples.set(line.slice(0, end), Number(line.slice(end + 1)));
  }
  return samples;
}

async function* eventsOf(response: Response): AsyncGenerator<InstanceSnapshot> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) yield JSON.parse(event.replace("data: ", "")) as InstanceSnapshot;
  }
}

describe("/healthz and /readyz", () => {
  it("say yes of an instance that runs", async () => {
    const { page } = await startOperated();
    expect(await (await page("/healthz")).text()).toBe("alive\n");
    const ready = await page("/readyz");
    expect([ready.status, await ready.text()]).toEqual([200, "ready\n"]);
  });

  it("say that it is alive, and not ready, while it is closing", async () => {
    const { page, server } = await startOperated();
    await server.close();
    expect((await page("/healthz")).status).toBe(200);
    const ready = await page("/readyz");
    expect([ready.status, await ready.text()]).toEqual([503, "not ready: closing\n"]);
  });

  it("leave everything else to the rest of the server", async () => {
    const { page } = await startOperated();
    expect((await page("/readyz/more")).status).toBe(426);
    expect((await page("/readyz", { method: "POST" })).status).toBe(426);
  });
});

describe("/metrics", () => {
  it("is nobody's business unless it was asked for", async () => {
    const { page } = await startOperated();
    expect((await page("/metrics")).status).toBe(426);
    expect((await page("/inspect")).status).toBe(426);
  });

  it("counts clients, documents and every message of theirs", async () => {
    const { page, document } = await startOperated({ metrics: true });
    const alice = connectEditor(document, "doc");
    const bob = connectEditor(document, "doc");
    await Promise.all([alice.synced, bob.synced]);
    const read = async () => samplesOf(await (await page("/metrics")).text());
    const before = await read();
    expect(before.get("teleportal_clients")).toBe(2);
    expect(before.get("teleportal_documents")).toBe(1);
    for (let i = 0; i < 10; i++) alice.text.insert(0, "x");
    await bob.until((text) => text === "xxxxxxxxxx");
    const after = await read();
    const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    // Yjs sends an update for each insert; presence may come between.
    expect(grown("teleportal_client_messages_received_total")).toBeGreaterThanOrEqual(10);
    expect(grown("teleportal_client_messages_sent_total")).toBeGreaterThanOrEqual(10);
    expect(grown("teleportal_client_sent_bytes_total")).toBeGreaterThan(10 * 10);
  });

  it("counts what goes to the broker, comes from it, and took how long", async () => {
    const { page, document, bus } = await startOperated({ metrics: true });
    const other = await startInstance({ bus });
    const alice = connectEditor(document, "doc");
    const bob = connectEditor(other.url, "doc");
    await Promise.all([alice.synced, bob.synced]);
    alice.text.insert(0, "over there");
    await bob.until((text) => text === "over there");
    bob.text.insert(0, "and back, ");
    await alice.until((text) => text === "and back, over there");
    const samples = samplesOf(await (await page("/metrics")).text());
    for (const name of [
      "broker_messages_published",
      "broker_published_bytes",
      "broker_messages_received",
      "broker_received_bytes",
      "repairs_asked",
    ]) {
      expect(samples.get(`teleportal_${name}_total`), name).toBeGreaterThan(0);
    }
    expect(samples.get("teleportal_broker_connected")).toBe(1);
    expect(samples.get("teleportal_peers")).toBe(1);
    const trips = "teleportal_broker_round_trip_seconds";
    expect(samples.get(`${trips}_count`)).toBeGreaterThan(0);
    expect(samples.get(`${trips}_bucket{le="+Inf"}`)).toBe(samples.get(`${trips}_count`));
  });

  it("counts a client whose bytes make no sense", async () => {
    const { page, document } = await startOperated({ metrics: true });
    const client = await connectRaw(document, "doc");
    client.send(new Uint8Array([0, 2, 3, 9, 9, 9]));
    await client.closed;
    const samples = samplesOf(await (await page("/metrics")).text());
    expect(samples.get("teleportal_clients_refused_total")).toBe(1);
  });

  it("gives each metric a type, a help text and exactly one line", async () => {
    const { page } = await startOperated({ metrics: true });
    const response = await page("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await response.text();
    const declared = [...text.matchAll(/^# TYPE (\S+) (counter|gauge|histogram)$/gm)];
    const helped = [...text.matchAll(/^# HELP (\S+) \S/gm)].map(([, name]) => name);
    expect(helped).toEqual(declared.map(([, name]) => name));
    expect(new Set(helped).size).toBe(helped.length);
    for (const [, name = "", type] of declared) {
      if (type === "counter") expect(name).toMatch(/_total$/);
      if (type !== "histogram") expect(samplesOf(text).has(name), name).toBe(true);
    }
  });
});

describe("/inspect", () => {
  it("streams the numbers as they change, and no name or content of a document", async () => {
    const { page, document } = await startOperated({ inspect: true });
    const ended = new AbortController();
    onTestFinished(() => ended.abort());
    const response = await page("/inspect", { signal: ended.signal });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = eventsOf(response);
    const first = (await events.next()).value as InstanceSnapshot;
    expect(first).toMatchObject({ clients: 0, documents: 0, sync: "connected" });
    const alice = connectEditor(document, "a-secret-name");
    await alice.synced;
    alice.text.insert(0, "secret words");
    let seen = "";
    for await (const event of events) {
      seen += JSON.stringify(event);
      if (event.clients === 1 && event.counters.clientMessagesIn > 1) break;
    }
    expect(seen).not.toMatch(/secret/);
  });

  it("answers HEAD with its headers alone", async () => {
    const { page } = await startOperated({ inspect: true });
    const response = await page("/inspect", { method: "HEAD" });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(await response.text()).toBe("");
  });

  it("streams nothing to who comes after it was closed", async () => {
    const { server } = await startOperated();
    const operations = createOperations(server, { inspect: true });
    const http = createServer((request, response) => void operations.handle(request, response));
    await new Promise<void>((resolve) => void http.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => new Promise((resolve) => void http.close(() => resolve())));
    operations.close();
    const { port } = http.address() as AddressInfo;
    expect(await (await fetch(`http://127.0.0.1:${port}/inspect`)).text()).toBe("");
  });
});
