import { describe, expect, it } from "vitest";
import type { PeerMessage } from "@teleportal/sync-core";
import { createReplicaNetwork } from "./replica-network.ts";
import type { NumbersReplica, Route } from "./replica-network.ts";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";
const C = "cccccccccccccccc";

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

function requestsOf({ sent }: NumbersReplica): PeerMessage[] {
  return sent.filter(({ kind }) => kind === "request");
}

/** A third frame says so. */
function wantsWhole({ frames }: PeerMessage): boolean {
  return frames.length > 2;
}

describe("a difference larger than a reply", () => {
  /** `asker` comes when the others have long been there. */
  function startWith(
    route: Route,
    others: readonly string[],
    held: readonly number[],
    heldByAsker: readonly number[],
  ) {
    const network = createReplicaNetwork(route);
    const peers = others.map((id) => network.add(id, held));
    for (const peer of peers) peer.start();
    network.runUntil(20_000);
    const asker = network.add(A, heldByAsker);
    asker.start();
    return { network, asker, peers };
  }

  /** `asker` holds nothing, and the others all numbers below `count`. */
  function start(route: Route, count: number, others: readonly string[]) {
    return startWith(route, others, range(count), []);
  }

  /** Without 0, which nobody has, nothing says that what `asker` holds is held. */
  function startBehindHole(route: Route) {
    return startWith(route, [B], range(20).slice(1), [1, 2, 3]);
  }

  it("is there when joining clients are answered, though it takes longer than they wait for nobody", () => {
    const { network, asker } = start(() => [100], 60, [B]);
    network.runUntil(network.now + 30_000);
    expect(asker.held.size).toBe(60);
    expect(asker.heldWhenJoined).toBe(60);
    expect(requestsOf(asker).filter(wantsWhole)).toEqual([]);
  });

  it("is not waited for when nothing more comes, and nothing of it is seen", () => {
    let cut = false;
    const { network, asker } = start(() => (cut ? [] : [100]), 60, [B]);
    network.runUntil(network.now + 700);
    cut = true;
    expect(asker.heldWhenJoined).toBeUndefined();
    network.runUntil(network.now + 1200);
    expect(asker.heldWhenJoined).toBe(0);
    expect(asker.held.size).toBe(0);
  });

  it("is gone on with by the next peer when the one that has begun is gone", () => {
    let gone = "";
    const { network, asker, peers } = start(
      ({ sender }, receiver) => (gone === sender || gone === receiver ? [] : [100]),
      60,
      [B, C],
    );
    network.runUntil(network.now + 900);
    gone = asker.sent.findLast(({ kind }) => kind === "request")?.to ?? "";
    expect([B, C]).toContain(gone);
    network.runUntil(network.now + 30_000);
    expect(asker.held.size).toBe(60);
    const partsSent = peers.flatMap(({ sent }) => sent.filter(({ kind }) => kind === "reply"));
    // Two numbers a part: what had come is not sent again.
    expect(partsSent.length).toBeLessThan(60 / 2 + 15);
  });

  it("is asked for once, though each message comes twice", () => {
    const { network, asker } = start(() => [20, 25], 20, [B]);
    network.runUntil(network.now + 30_000);
    expect(asker.held.size).toBe(20);
    const requests = requestsOf(asker);
    expect(requests.filter(wantsWhole)).toEqual([]);
    expect(requests.length).toBeLessThanOrEqual(20 / 2 + 2);
  });

  it("is asked of one peer, though several have answered", () => {
    // So slow that none hears of another's reply before its own.
    const { network, asker } = start(() => [200], 20, [B, C]);
    network.runUntil(network.now + 60_000);
    expect(asker.held.size).toBe(20);
    expect(requestsOf(asker).filter(wantsWhole)).toEqual([]);
    const addressees = new Set(requestsOf(asker).flatMap(({ to }) => to ?? []));
    expect(addressees.size).toBe(1);
  });

  it("that begins with what is held behind a hole is asked for whole", () => {
    const { network, asker } = startBehindHole(() => [10]);
    network.runUntil(network.now + 10_000);
    expect(asker.held).toEqual(new Set(range(20).slice(1)));
    expect(requestsOf(asker).filter(wantsWhole).length).toBe(1);
  });

  it("whose whole never arrives is not asked for without end", () => {
    const { network, asker } = startBehindHole(({ kind, frames }) =>
      kind === "reply" && frames.length > 5 ? [] : [10],
    );
    network.runUntil(network.now + 10_000);
    const soon = requestsOf(asker).length;
    network.runUntil(network.now + 120_000);
    expect(requestsOf(asker).length - soon).toBeLessThan(40);
  });
});
