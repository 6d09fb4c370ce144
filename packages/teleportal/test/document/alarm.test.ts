import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Alarm } from "../../src/document/alarm.ts";

describe("an alarm", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function start() {
    const rung: number[] = [];
    const begun = performance.now();
    const alarm = new Alarm(() => rung.push(performance.now() - begun));
    return { rung, cancel: () => alarm.cancel(), in: (time: number) => alarm.set(begun + time) };
  }

  it("rings once, at its time", () => {
    const alarm = start();
    alarm.in(100);
    vi.advanceTimersByTime(99);
    expect(alarm.rung).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(alarm.rung).toEqual([100]);
  });

  it("that is put off again and again rings at the last time that was set, and needs few timers", () => {
    const alarm = start();
    const timers = vi.spyOn(globalThis, "setTimeout");
    for (let i = 0; i < 1000; i++) {
      alarm.in(i + 100);
      vi.advanceTimersByTime(1);
    }
    expect(alarm.rung).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(alarm.rung).toEqual([1099]);
    expect(timers.mock.calls.length).toBeLessThan(20);
  });

  it("rings earlier when it is set to an earlier time", () => {
    const alarm = start();
    alarm.in(500);
    alarm.in(50);
    vi.advanceTimersByTime(1000);
    expect(alarm.rung).toEqual([50]);
  });

  it("rings at once for a time that has passed", () => {
    const alarm = start();
    alarm.in(-10);
    vi.advanceTimersByTime(1);
    expect(alarm.rung).toHaveLength(1);
  });

  it("does not ring when it was taken back, and does when it is set anew", () => {
    const alarm = start();
    alarm.in(50);
    alarm.cancel();
    alarm.in(80);
    alarm.cancel();
    vi.advanceTimersByTime(200);
    expect(alarm.rung).toEqual([]);
    alarm.in(300);
    vi.advanceTimersByTime(200);
    expect(alarm.rung).toEqual([300]);
  });
});
