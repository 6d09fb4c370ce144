import { ByteReader, ByteWriter } from "@teleportal/sync-core";

type Json = Readonly<Record<string, string | number>>;

/** A client's side of presence, by the rules of y-protocols' awareness.js (`applyAwarenessUpdate`). */
export interface AwarenessClient {
  readonly id: number;
  /** Whom it shows, itself included. */
  readonly shown: readonly (readonly [client: number, state: Json])[];
  /** Changes its own state, or ends it; returns what it sends. */
  set(state: Json | null): Uint8Array;
  /** Its own state as it sends it when it connects. */
  announcement(): Uint8Array;
  apply(update: Uint8Array): void;
}

export function createAwarenessClient(id: number): AwarenessClient {
  const states = new Map<number, Json>();
  const clocks = new Map<number, number>([[id, 0]]);

  function announcement(): Uint8Array {
    return encodeAwareness([[id, clocks.get(id) ?? 0, states.get(id) ?? null]]);
  }

  return {
    id,
    get shown() {
      return [...states].sort(([a], [b]) => a - b);
    },
    set(state) {
      clocks.set(id, (clocks.get(id) ?? 0) + 1);
      if (state === null) states.delete(id);
      else states.set(id, state);
      return announcement();
    },
    announcement,
    apply(update) {
      const reader = new ByteReader(update);
      for (let count = reader.varUint(); count > 0; count--) {
        const client = reader.varUint();
        const clock = reader.varUint();
        const state = JSON.parse(new TextDecoder().decode(reader.varBytes())) as Json | null;
        const known = clocks.get(client) ?? 0;
        if (clock < known || (clock === known && (state !== null || !states.has(client)))) continue;
        if (state !== null) states.set(client, state);
        else if (client === id && states.has(id)) {
          // Nobody removes a client's own state: it says with a higher clock that it is still there.
          clocks.set(id, clock + 1);
          continue;
        } else states.delete(client);
        clocks.set(client, clock);
      }
    },
  };
}

export function encodeAwareness(
  states: readonly (readonly [client: number, clock: number, state: Json | null])[],
): Uint8Array {
  const writer = new ByteWriter();
  writer.varUint(states.length);
  for (const [client, clock, state] of states) {
    writer.varUint(client);
    writer.varUint(clock);
    writer.varBytes(new TextEncoder().encode(JSON.stringify(state)));
  }
  return new Uint8Array(writer.finish());
}
