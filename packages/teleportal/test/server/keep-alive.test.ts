import { once } from "node:events";
import { expect, it, onTestFinished, vi } from "vitest";
import { KeepAlive } from "../../src/server/keep-alive.ts";
import { connectRaw } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";
import { keystrokes } from "./keystrokes.ts";

/** Lets so many seconds pass for the server. What is on its way between it and its clients arrives in each of them. */
async function pass(seconds: number, fence: () => Promise<void>): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    vi.advanceTimersByTime(1000);
    await fence();
  }
}

function fakeIntervals(): void {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
}

it("pings a client that says nothing, and cuts it if it does not answer", async () => {
  fakeIntervals();
  const { url, server } = await startInstance();
  const talking = await connectRaw(url, "doc");
  const silent = await connectRaw(url, "doc");
  const gone = await connectRaw(url, "doc");
  await Promise.all([talking.fence(), silent.fence(), gone.fence()]);
  const pinged = { talking: 0, silent: 0 };
  talking.socket.on("ping", () => (pinged.talking += 1));
  silent.socket.on("ping", () => (pinged.silent += 1));
  // It reads nothing any more, so it answers nothing.
  gone.socket.pause();
  // Seven signs or eight: it is asked with the third and the sixth.
  await pass(190, talking.fence);
  gone.socket.resume();
  if (gone.socket.readyState !== gone.socket.CLOSED) await once(gone.socket, "close");
  expect(pinged).toEqual({ talking: 0, silent: 2 });
  await expect.poll(() => server.size.connections).toBe(2);
  await Promise.all([talking.fence(), silent.fence()]);
});

it("does not take a client for gone that it does not read itself", async () => {
  fakeIntervals();
  const { url, server } = await startInstance({ limits: { messagesPerSecond: 500 } });
  const [fast, other] = [await connectRaw(url, "doc"), await connectRaw(url, "doc")];
  await Promise.all([fast.fence(), other.fence()]);
  for (const frame of keystrokes(5000)) fast.send(frame);
  await vi.waitFor(() => expect(server.snapshot().counters.clientsPaused).toBe(1));
  await pass(120, other.fence);
  expect(server.size.connections).toBe(2);
  await server.close();
  expect((await fast.closed).code).toBe(1001);
});

it("keeps a client waiting no longer on a machine whose timers come late each time", () => {
  fakeIntervals();
  let clock = 0;
  const now = vi.spyOn(performance, "now").mockImplementation(() => clock);
  onTestFinished(() => now.mockRestore());
  const keepAlive = new KeepAlive();
  const signs: number[] = [];
  keepAlive.add({ keepAlive: () => void signs.push(clock) }, keepAlive.deal());
  for (let ticks = 0; ticks < 120; ticks++) {
    clock += 2000;
    vi.advanceTimersByTime(1000);
  }
  keepAlive.stop();
  const waits = signs.slice(1).map((at, i) => at - (signs[i] ?? 0));
  expect(waits.length).toBeGreaterThan(5);
  expect(Math.max(...waits)).toBeLessThan(25_000);
});

it("keeps every client alive, however many come at once, and not all in the same moment", async () => {
  const { server } = await startInstance();
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const signs: number[] = [];
  const connections = Array.from({ length: 48 }, (_, i) =>
    server.connect(
      {
        bufferedAmount: 0,
        send() {},
        close() {},
        keepAlive: () => void signs.push(i),
      },
      { documentId: "doc", context: undefined },
    ),
  );
  let most = 0;
  for (let passed = 0; passed < 24_000; passed += 1000) {
    const before = signs.length;
    await vi.advanceTimersByTimeAsync(1000);
    most = Math.max(most, signs.length - before);
  }
  expect(signs.toSorted((a, b) => a - b)).toEqual(connections.map((_, i) => i));
  expect(most).toBe(2);
  expect(vi.getTimerCount()).toBe(1);
  for (const connection of connections) connection.closed();
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(0));
});
