import { describe, expect, it } from "vitest";
import { createReplicaNetwork } from "./replica-network.ts";
import type { Route } from "./replica-network.ts";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";

/** In milliseconds. */
const LATENCY = 100;

describe("what a peer types behind a gap", () => {
  /** A types 0 and 1, the second of which is lost, then 2. `route` decides about what is not A's second update. */
  function typeBehindAGap(route: Route) {
    let typed = 0;
    const network = createReplicaNetwork((message, receiver) => {
      if (message.kind === "update" && message.seq === 2) return [];
      return route(message, receiver);
    });
    const [typist, reader] = [network.add(A), network.add(B)];
    typist.start();
    reader.start();
    network.runUntil(20_000);
    const type = (): void => typist.type(typed++);
    type();
    network.runUntil(network.now + LATENCY + 1);
    expect(reader.held).toEqual(new Set([0]));
    type();
    type();
    network.runUntil(network.now + LATENCY + 1);
    return { network, reader, type };
  }

  it("is seen together with what was missing, never before", () => {
    const { network, reader } = typeBehindAGap(() => [LATENCY]);
    const states = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      states.add([...reader.held].sort((a, b) => a - b).join());
      network.runUntil(network.now + 1);
    }
    expect(states).toEqual(new Set(["0", "0,1,2"]));
  });

  it("waits for a second at most, though the repair never comes", () => {
    const { network, reader } = typeBehindAGap(({ kind }) => (kind === "reply" ? [] : [LATENCY]));
    expect(reader.held).toEqual(new Set([0]));
    network.runUntil(network.now + 1000);
    expect(reader.held).toEqual(new Set([0, 2]));
  });

  it("is not lost when the link goes down meanwhile", () => {
    const { reader } = typeBehindAGap(() => [LATENCY]);
    reader.link("down");
    expect(reader.held).toEqual(new Set([0, 2]));
  });

  it("does not wait any more once the gap is repaired", () => {
    const { network, reader, type } = typeBehindAGap(() => [LATENCY]);
    network.runUntil(network.now + 5000);
    type();
    network.runUntil(network.now + LATENCY + 1);
    expect(reader.held).toEqual(new Set([0, 1, 2, 3]));
  });
});

describe("a peer whose storage others share", () => {
  it("confirms with the digest that follows typing that its updates are stored, and no sooner", () => {
    const network = createReplicaNetwork(() => [LATENCY]);
    const [typist, reader] = [network.add(A), network.add(B)];
    typist.stores("due");
    typist.start();
    reader.start();
    network.runUntil(20_000);
    typist.type(0);
    network.runUntil(network.now + 60_000);
    expect(reader.confirmed).toEqual([]);
    typist.stores("done");
    network.runUntil(network.now + 5000);
    expect(reader.confirmed).toContain(A);
    const digests = (): number => typist.sent.filter(({ kind }) => kind === "digest").length;
    network.runUntil(network.now + 60_000);
    const sent = digests();
    network.runUntil(network.now + 60_000);
    expect(digests()).toBe(sent);
  });

  it("does not confirm what was typed after it", () => {
    const network = createReplicaNetwork((message) => (message.kind === "digest" ? [900] : [1]));
    const [typist, reader] = [network.add(A), network.add(B)];
    typist.stores("done");
    typist.start();
    reader.start();
    network.runUntil(20_000);
    const before = reader.confirmed.length;
    typist.type(0);
    const digestSent = (): boolean =>
      typist.sent.some(({ kind, seq }) => kind === "digest" && seq === 1);
    while (!digestSent()) network.runUntil(network.now + 1);
    typist.stores("due");
    typist.type(1);
    network.runUntil(network.now + 1000);
    expect(reader.held).toEqual(new Set([0, 1]));
    expect(reader.confirmed.length).toBe(before);
  });
});
