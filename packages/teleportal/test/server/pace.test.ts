import { CloseCode } from "teleportal";
import type { ClientSocket } from "teleportal";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Pace } from "../../src/server/pace.ts";
import { connectEditor } from "./connect-editor.ts";
import { keystrokes } from "./keystrokes.ts";
import { connectRaw } from "./raw-client.ts";
import { createStallingSocket } from "./stalling-socket.ts";
import { startInstance } from "./start-instance.ts";

describe("a client that sends faster than it may", () => {
  it("is read later, loses nothing, and holds nobody up", async () => {
    const { url, server } = await startInstance({ limits: { messagesPerSecond: 400 } });
    const [fast, witness] = [await connectRaw(url, "doc"), connectEditor(url, "doc")];
    await Promise.all([fast.fence(), witness.synced]);
    for (const frame of keystrokes(600)) fast.send(frame);
    const other = connectEditor(url, "other");
    const reader = connectEditor(url, "other");
    await Promise.all([other.synced, reader.synced]);
    other.text.insert(0, "at once");
    await reader.until((text) => text === "at once");
    await witness.until((text) => text.length === 600);
    expect(server.snapshot().counters.clientsPaused).toBeGreaterThan(0);
    // It can be talked to as before.
    await fast.fence();
  });

  it("hears that the server closes, although it is not being read", async () => {
    const { url, server } = await startInstance({
      limits: { messagesPerSecond: 10 },
    });
    const fast = await connectRaw(url, "doc");
    await fast.fence();
    for (const frame of keystrokes(1000)) fast.send(frame);
    await vi.waitFor(() => expect(server.snapshot().counters.clientsPaused).toBe(1));
    await server.close();
    expect((await fast.closed).code).toBe(CloseCode.goingAway);
  });

  it("is closed with 1013 where its socket cannot be paused", async () => {
    const { server } = await startInstance({ limits: { messagesPerSecond: 10 } });
    const socket = createStallingSocket();
    const connection = server.connect(socket, { documentId: "doc", context: undefined });
    for (const frame of keystrokes(30)) connection.receive(frame);
    expect(socket.closedWith?.code).toBe(CloseCode.tryAgainLater);
    connection.closed();
  });

  it("is not held back for what it pastes within the limits", async () => {
    const { url, server } = await startInstance();
    const [alice, bob] = [connectEditor(url, "doc"), connectEditor(url, "doc")];
    await Promise.all([alice.synced, bob.synced]);
    alice.text.insert(0, "x".repeat(4_000_000));
    for (let i = 0; i < 1000; i++) alice.text.insert(0, "y");
    await bob.until((text) => text.length === 4_001_000);
    expect(server.snapshot().counters.clientsPaused).toBe(0);
  });
});

describe("the pace", () => {
  function start(messagesPerSecond: number, bytesPerSecond: number) {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const calls: string[] = [];
    const socket: ClientSocket = {
      send() {},
      close() {},
      bufferedAmount: 0,
      pause: () => void calls.push(`pause at ${Math.round(performance.now() - started)}`),
      resume: () => void calls.push(`resume at ${Math.round(performance.now() - started)}`),
    };
    const started = performance.now();
    return { pace: new Pace(socket, { messagesPerSecond, bytesPerSecond }), calls };
  }

  it("lets a second's worth through at once, and then what is due", () => {
    const { pace, calls } = start(100, Number.POSITIVE_INFINITY);
    for (let i = 0; i < 100; i++) expect(pace.take(1_000_000)).toBe("in-time");
    for (let i = 0; i < 4; i++) expect(pace.take(1)).toBe("in-time");
    expect(pace.take(1)).toBe("paused");
    // What had been read already still comes.
    for (let i = 0; i < 5; i++) expect(pace.take(1)).toBe("in-time");
    vi.advanceTimersByTime(1000);
    expect(calls).toEqual(["pause at 0", "resume at 100"]);
  });

  it("counts bytes as well", () => {
    const { pace, calls } = start(Number.POSITIVE_INFINITY, 1000);
    expect(pace.take(3000)).toBe("paused");
    vi.advanceTimersByTime(5000);
    expect(calls).toEqual(["pause at 0", "resume at 2000"]);
    expect(pace.take(1000)).toBe("in-time");
  });

  it("without limits never pauses", () => {
    const { pace, calls } = start(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    for (let i = 0; i < 100_000; i++) pace.take(1_000_000);
    expect(calls).toEqual([]);
  });

  it("lets a socket that is to close be read at once, and leaves no timer", () => {
    const { pace, calls } = start(10, Number.POSITIVE_INFINITY);
    for (let i = 0; i < 100; i++) pace.take(1);
    pace.end();
    pace.end();
    expect(calls).toEqual(["pause at 0", "resume at 0"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
