import { expect, test } from "vitest";
import { BackgroundWork } from "../../src/document/background-work.ts";
import type { Steps } from "../../src/document/background-work.ts";

function* counting(name: string, steps: number, log: string[]): Steps<string> {
  for (let step = 1; step <= steps; step++) {
    log.push(`${name} ${step}`);
    yield;
  }
  return `${name} done`;
}

test("lets the event loop turn between steps that take their time", async () => {
  const log: string[] = [];
  let turns = 0;
  function* steps(): Steps<void> {
    for (let step = 0; step < 3; step++) {
      log.push(`step after ${turns} turns`);
      setImmediate(() => (turns += 1));
      const until = performance.now() + 4;
      while (performance.now() < until);
      yield;
    }
  }
  await new BackgroundWork().run(steps());
  expect(log).toEqual(["step after 0 turns", "step after 1 turns", "step after 2 turns"]);
});

test("lets the event loop turn between jobs that take their time in a single step", async () => {
  const background = new BackgroundWork();
  const log: string[] = [];
  const nothing: never[] = [];
  let turns = 0;
  function* job(): Steps<void> {
    log.push(`job after ${turns} turns`);
    setImmediate(() => (turns += 1));
    const until = performance.now() + 4;
    while (performance.now() < until);
    return yield* nothing;
  }
  await Promise.all([1, 2, 3].map(() => background.run(job())));
  expect(log).toEqual(["job after 0 turns", "job after 1 turns", "job after 2 turns"]);
});

test("does many small jobs in few turns", async () => {
  let turns = 0;
  const counter = setInterval(() => (turns += 1), 0);
  const background = new BackgroundWork();
  await Promise.all(Array.from({ length: 10_000 }, () => background.run(counting("small", 1, []))));
  clearInterval(counter);
  expect(turns).toBeLessThan(1000);
});

test("does one job after the other, in the order they came", async () => {
  const log: string[] = [];
  const background = new BackgroundWork();
  const results = ["a", "b"].map((name) => background.run(counting(name, 2, log)));
  expect(await Promise.all(results)).toEqual(["a done", "b done"]);
  expect(log).toEqual(["a 1", "a 2", "b 1", "b 2"]);
});

test("goes on with the next job after one that throws, which rejects with what was thrown", async () => {
  const background = new BackgroundWork();
  const reason = new Error("no");
  function* throwing(): Steps<void> {
    yield;
    throw reason;
  }
  const failed = background.run(throwing());
  const next = background.run(counting("next", 1, []));
  await expect(failed).rejects.toBe(reason);
  expect(await next).toBe("next done");
});
