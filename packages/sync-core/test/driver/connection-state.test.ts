import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createConnectionState } from "@teleportal/sync-core";

function start(failure?: () => unknown) {
  const state = createConnectionState({ name: "sync-mine", ...(failure && { failure }) });
  const said: unknown[] = [];
  return { state, said, watch: () => state.watch((connection) => said.push(connection)) };
}

describe("a driver's connection state", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("says nothing before the first attempt has ended, to one who watches early or late", () => {
    const { state, said, watch } = start();
    watch();
    expect(said).toEqual([]);
    state.set({ state: "up" });
    watch();
    expect(said).toEqual([{ state: "up" }, { state: "up" }]);
  });

  it("calls an attempt that goes on for too long `down`, with what has gone wrong so far", () => {
    const { said, watch } = start(() => "refused");
    watch();
    vi.advanceTimersByTime(1999);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(said).toEqual([{ state: "down", cause: "refused" }]);
  });

  it("says a state once, whatever its cause", () => {
    const { state, said, watch } = start();
    watch();
    state.set({ state: "down", cause: "first" });
    state.set({ state: "down", cause: "second" });
    state.set({ state: "up" });
    state.set({ state: "up" });
    expect(said).toEqual([{ state: "down", cause: "first" }, { state: "up" }]);
  });

  it("refuses what needs a connection while there is none, with the last cause, and after close", () => {
    const { state } = start();
    expect(() => state.assertUp("publish")).toThrow(
      "[sync-mine] publish without a connection: wait for `up`",
    );
    state.set({ state: "down", cause: "first" });
    state.set({ state: "down", cause: "second" });
    expect(() => state.assertUp("publish")).toThrow(expect.objectContaining({ cause: "second" }));
    state.set({ state: "up" });
    state.assertUp("publish");
    expect(state.up).toBe(true);
    state.close();
    expect(() => state.assertUp("publish")).toThrow("publish after close: make a new factory");
    expect([state.up, state.closed]).toEqual([false, true]);
  });

  it("says nothing more once it is closed, and leaves no timer", () => {
    const { state, said, watch } = start();
    watch();
    state.close();
    state.set({ state: "up" });
    expect(said).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
