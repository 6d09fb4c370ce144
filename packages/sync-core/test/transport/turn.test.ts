import { describe, expect, it } from "vitest";
import { afterTurn, createTurnBatch } from "@teleportal/sync-core";
import { nextUncaught } from "./next-uncaught.ts";

/** Resolves when what is due after this turn has run, and before the sockets are read again. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("what is to be done after a turn of the event loop", () => {
  it("waits until all that the turn brings is there, and is done once", async () => {
    const flushed: string[] = [];
    const batch = createTurnBatch<string>((member) => flushed.push(member));
    batch.add("a");
    batch.add("b");
    await Promise.resolve();
    batch.add("a");
    expect(flushed).toEqual([]);
    await endOfTurn();
    expect(flushed).toEqual(["a", "b"]);
    batch.add("a");
    await endOfTurn();
    expect(flushed).toEqual(["a", "b", "a"]);
  });

  it("is followed at once by what it asks for, as an outbox follows its document", async () => {
    const done: string[] = [];
    const outbox = createTurnBatch<string>((member) => done.push(`outbox ${member}`));
    const document = createTurnBatch<string>((member) => {
      done.push(`document ${member}`);
      outbox.add(member);
    });
    document.add("a");
    document.add("b");
    await endOfTurn();
    expect(done).toEqual(["document a", "document b", "outbox a", "outbox b"]);
  });

  it("lets the sockets be read though it asks for more each time", async () => {
    let rounds = 0;
    const again = (): void => {
      rounds += 1;
      if (rounds < 1000) afterTurn(again);
    };
    afterTurn(again);
    await endOfTurn();
    expect(rounds).toBeLessThan(10);
    await expect.poll(() => rounds).toBe(1000);
  });

  it("is done in later turns though it has thrown for somebody", async () => {
    const uncaught = nextUncaught();
    const flushed: string[] = [];
    const failure = new Error("it cannot be flushed");
    const batch = createTurnBatch<string>((member) => {
      if (member === "bad") throw failure;
      flushed.push(member);
      // Asked for again while it is being done: that is for the next turn.
      if (flushed.length === 2) batch.add(member);
    });
    batch.add("bad");
    expect(await uncaught).toBe(failure);
    batch.add("a");
    await endOfTurn();
    batch.add("a");
    await expect.poll(() => flushed).toEqual(["a", "a", "a"]);
  });

  it("is done though what is done before it throws, and the error is not swallowed", async () => {
    const uncaught = nextUncaught();
    let done = false;
    const failure = new Error("a task has failed");
    afterTurn(() => {
      throw failure;
    });
    afterTurn(() => {
      done = true;
    });
    expect(await uncaught).toBe(failure);
    expect(done).toBe(true);
  });
});
