import { once } from "node:events";
import { expect, it, onTestFinished, vi } from "vitest";
import { connectRaw } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";

it("cuts a client that does not answer for a minute, and no other", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const { url, server } = await startInstance();
  const alive = await connectRaw(url, "doc");
  const dead = await connectRaw(url, "doc");
  await Promise.all([alive.fence(), dead.fence()]);
  const pings: number[] = [];
  alive.socket.on("ping", () => pings.push(pings.length));
  // It reads nothing any more, so it answers nothing.
  dead.socket.pause();
  for (let second = 0; second < 90; second++) {
    vi.advanceTimersByTime(1000);
    // What is on its way to and from the living arrives.
    await alive.fence();
  }
  dead.socket.resume();
  if (dead.socket.readyState !== dead.socket.CLOSED) await once(dead.socket, "close");
  expect(pings).toHaveLength(3);
  expect(alive.socket.readyState).toBe(alive.socket.OPEN);
  await expect.poll(() => server.size.connections).toBe(1);
});
