import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MalformedAwarenessError, Presence } from "../../src/document/presence.ts";
import { createAwarenessClient, encodeAwareness } from "./awareness-client.ts";

/** What a client shows that comes now. */
function shownBy(presence: Presence): unknown {
  const observer = createAwarenessClient(1000);
  const snapshot = presence.snapshot();
  if (snapshot !== undefined) observer.apply(snapshot);
  return observer.shown;
}

type Step =
  | { readonly type: "move"; readonly client: number; readonly to: number }
  | { readonly type: "leave"; readonly client: number };

const client = fc.nat({ max: 3 });
const move = fc.record({ type: fc.constant("move"), client, to: fc.nat({ max: 9 }) });
const leave = fc.record({ type: fc.constant("leave"), client });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof({ weight: 4, arbitrary: move }, { weight: 1, arbitrary: leave }),
  { maxLength: 40 },
);

describe("the presence of a document", () => {
  it("is what every client shows, though each sends back what it is told, as y-websocket does", () => {
    fc.assert(
      fc.property(steps, (plan) => {
        const presence = new Presence();
        const clients = [0, 1, 2, 3].map((id) => createAwarenessClient(id));
        const connections = clients.map((_, id) => ({ id }));
        const here = new Set([0, 1, 2, 3]);
        const expected = new Map<number, { cursor: number }>();

        function tellOthers(update: Uint8Array, id: number): void {
          for (const other of here) {
            if (other === id) continue;
            clients[other]?.apply(update);
            expect(presence.apply(update, connections[other] ?? {})).toBeUndefined();
          }
        }

        for (const step of plan) {
          const connection = connections[step.client] ?? {};
          if (!here.has(step.client)) continue;
          let news: Uint8Array | undefined;
          if (step.type === "move") {
            const state = { cursor: step.to };
            expected.set(step.client, state);
            const update = clients[step.client]?.set(state) ?? new Uint8Array([0]);
            const said = presence.apply(update, connection);
            expect(said).toBeDefined();
            news = update;
          } else {
            here.delete(step.client);
            news = presence.remove(connection);
            expect(news !== undefined).toBe(expected.delete(step.client));
          }
          if (news !== undefined) tellOthers(news, step.client);
        }
        const all = [...expected].sort(([a], [b]) => a - b);
        expect(shownBy(presence)).toEqual(all);
        expect(presence.size).toBe(all.length);
        for (const id of here) expect(clients[id]?.shown).toEqual(all);
      }),
      { numRuns: 500 },
    );
  });

  it("does not bring a client back that is gone, when an older message of it comes late", () => {
    const presence = new Presence();
    const alice = createAwarenessClient(1);
    const late = alice.set({ cursor: 1 });
    presence.apply(alice.set({ cursor: 2 }), "connection");
    presence.remove("connection");
    expect(presence.apply(late, "peer")).toBeUndefined();
    expect(presence.size).toBe(0);
  });

  it("takes a client back that announces itself again, with the clock it had", () => {
    const presence = new Presence();
    const alice = createAwarenessClient(1);
    presence.apply(alice.set({ cursor: 1 }), "old");
    presence.remove("old");
    expect(presence.apply(alice.announcement(), "new")).toBeDefined();
    expect(shownBy(presence)).toEqual([[1, { cursor: 1 }]]);
  });

  it("tells what is new from what is renewed", () => {
    const presence = new Presence();
    const alice = createAwarenessClient(1);
    expect(presence.apply(alice.set({ cursor: 1 }), "connection")).toBe("news");
    expect(presence.apply(alice.set({ cursor: 1 }), "connection")).toBe("renewed");
    expect(presence.apply(alice.announcement(), "connection")).toBeUndefined();
    expect(presence.apply(alice.set({ cursor: 2 }), "connection")).toBe("news");
    expect(presence.apply(alice.set({ cursor: 2 }), "elsewhere")).toBe("news");
  });

  it("is not brought back by a peer's renewal that was overtaken by its end, and is by a later one", () => {
    const presence = new Presence();
    const alice = createAwarenessClient(1);
    presence.apply(alice.set({ cursor: 1 }), "peer");
    const late = alice.set({ cursor: 1 });
    presence.apply(late, "peer");
    presence.remove("peer");
    expect(presence.apply(late, "peer", { renewal: true })).toBeUndefined();
    expect(presence.size).toBe(0);
    expect(presence.apply(alice.set({ cursor: 1 }), "peer", { renewal: true })).toBe("news");
  });

  it("moves with a client to the connection on which it goes on", () => {
    const presence = new Presence();
    const alice = createAwarenessClient(1);
    presence.apply(alice.set({ cursor: 1 }), "old");
    presence.apply(alice.set({ cursor: 2 }), "new");
    expect(presence.remove("old")).toBeUndefined();
    expect(shownBy(presence)).toEqual([[1, { cursor: 2 }]]);
    expect(presence.remove("new")).toBeDefined();
    expect(presence.size).toBe(0);
  });

  it("of a client that is wrongly said to be gone comes back with the clock it answers with", () => {
    const presence = new Presence();
    const alice = createAwarenessClient(1);
    presence.apply(alice.set({ cursor: 1 }), "half-open");
    presence.apply(alice.announcement(), "new");
    alice.apply(presence.remove("half-open") ?? encodeAwareness([]));
    expect(presence.apply(alice.announcement(), "new")).toBeDefined();
    expect(shownBy(presence)).toEqual([[1, { cursor: 1 }]]);
    expect(presence.remove("new")).toBeDefined();
  });

  it("ends for a client that takes its state back itself", () => {
    const presence = new Presence();
    const alice = createAwarenessClient(1);
    presence.apply(alice.set({ cursor: 1 }), "connection");
    expect(presence.apply(alice.set(null), "connection")).toBeDefined();
    expect(presence.size).toBe(0);
    expect(presence.snapshot()).toBeUndefined();
    expect(presence.remove("connection")).toBeUndefined();
  });

  it("is handed to peers only as far as clients here own it", () => {
    const presence = new Presence();
    const [here, there] = [createAwarenessClient(1), createAwarenessClient(2)];
    presence.apply(here.set({ cursor: 1 }), {});
    presence.apply(there.set({ cursor: 2 }), "peer");
    const snapshot = presence.snapshot((owner) => typeof owner === "object");
    expect(snapshot).toEqual(here.announcement());
  });

  it("refuses whole what is cut off, is no JSON or no UTF-8, and keeps what it had", () => {
    const presence = new Presence();
    presence.apply(encodeAwareness([[1, 1, { user: "é" }]]), "connection");
    const both = encodeAwareness([
      [2, 1, { user: "è" }],
      [3, 1, { user: "ê" }],
    ]);
    const broken = [
      ...Array.from({ length: both.length }, (_, length) => both.slice(0, length)),
      // {"a":}
      new Uint8Array([1, 3, 1, 6, 123, 34, 97, 34, 58, 125]),
      // A lone continuation byte between quotes.
      new Uint8Array([1, 3, 1, 3, 34, 0x80, 34]),
      // Far more states than there are bytes.
      new Uint8Array([255, 255, 255, 255, 15, 3, 1, 1, 48]),
    ];
    for (const update of broken) {
      expect(() => presence.apply(update, "other"), [...update].join()).toThrow(
        MalformedAwarenessError,
      );
    }
    expect(shownBy(presence)).toEqual([[1, { user: "é" }]]);
    expect(presence.apply(both, "other")).toBeDefined();
    expect(presence.size).toBe(3);
  });
});
