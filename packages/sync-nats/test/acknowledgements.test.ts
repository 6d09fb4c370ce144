import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createAcknowledgements } from "../src/acknowledgements.ts";

/** A server that answers each `PING` when it is told to. */
function start() {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const asked: (() => void)[] = [];
  const acknowledgements = createAcknowledgements(
    () => new Promise((resolve) => asked.push(resolve)),
  );
  const states: string[] = [];
  const follow = (name: string, answer: Promise<void>): void => {
    answer.then(
      () => states.push(`${name} taken`),
      (cause: unknown) => states.push(`${name} failed: ${String(cause)}`),
    );
  };
  return {
    acknowledgements,
    asked,
    states,
    publish: (subject: string, bytes = 30) =>
      follow(subject, acknowledgements.nextPublish(subject, bytes)),
    subscribe: (name: string) => follow(name, acknowledgements.next()),
    pass: (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds),
  };
}

describe("the server's answer", () => {
  it("is asked for at once when nothing was for a while", async () => {
    const { asked, states, publish, pass } = start();
    publish("a");
    await pass(0);
    expect(asked).toHaveLength(1);
    asked[0]?.();
    await pass(1);
    expect(states).toEqual(["a taken"]);
    await pass(10);
    publish("b");
    await pass(0);
    expect(asked).toHaveLength(2);
  });

  it("is asked for once in ten milliseconds, with the publish that comes next", async () => {
    const { asked, states, publish, pass } = start();
    for (let i = 0; i < 41; i++) {
      publish(`s${i}`);
      await pass(0);
      expect(asked).toHaveLength(1 + Math.floor(i / 10));
      await pass(1);
    }
    for (const answer of asked) answer();
    await pass(1);
    expect(states).toEqual(Array.from({ length: 41 }, (_, i) => `s${i} taken`));
  });

  it("is asked for by a timer when nothing is published any more", async () => {
    const { asked, publish, pass } = start();
    publish("first");
    await pass(1);
    publish("last");
    await pass(9);
    expect(asked).toHaveLength(1);
    await pass(1);
    expect(asked).toHaveLength(2);
    await pass(100);
    expect(asked).toHaveLength(2);
  });

  it("is asked for once for every 32 publishes that come faster", async () => {
    const { asked, publish, pass } = start();
    for (let i = 0; i < 97; i++) {
      publish(`s${i}`);
      await pass(0);
    }
    expect(asked).toHaveLength(4);
  });

  it("is waited for by no subscription longer than it takes, and tells of the publishes before it as well", async () => {
    const { asked, states, publish, subscribe, pass } = start();
    publish("first");
    await pass(1);
    publish("second");
    subscribe("document");
    await pass(0);
    expect(asked).toHaveLength(2);
    asked[1]?.();
    await pass(1);
    expect(states).toEqual(["second taken", "document taken"]);
    // The timer that would have asked is gone.
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is not put off for what is large, as its next part waits for it", async () => {
    const { asked, publish, pass } = start();
    publish("first");
    await pass(1);
    publish("small");
    await pass(0);
    expect(asked).toHaveLength(1);
    publish("large", 256 * 1024);
    await pass(0);
    expect(asked).toHaveLength(2);
  });

  it("never comes for what was not asked about when the connection was lost", async () => {
    const { acknowledgements, asked, states, publish, pass } = start();
    publish("asked");
    await pass(1);
    publish("not yet");
    acknowledgements.fail("lost");
    await pass(20);
    expect(states).toEqual(["asked failed: lost", "not yet failed: lost"]);
    expect(asked).toHaveLength(1);
    publish("after");
    await pass(20);
    asked[1]?.();
    await pass(1);
    expect(states.at(-1)).toBe("after taken");
  });

  it("is no to what the server refuses, and yes to the rest", async () => {
    const { acknowledgements, asked, states, publish, pass } = start();
    publish("first");
    await pass(1);
    publish("forbidden");
    publish("allowed");
    acknowledgements.refuse("forbidden", "not allowed");
    await pass(20);
    for (const answer of asked) answer();
    await pass(1);
    expect(states.toSorted()).toEqual([
      "allowed taken",
      "first taken",
      "forbidden failed: not allowed",
    ]);
  });
});
