import { decodeStateVector, digestOf } from "@teleportal/sync-core";
import type { PeerMessage, ReplicaDocument } from "@teleportal/sync-core";
import * as Y from "yjs";
import { readUpdate } from "../../src/yjs-v1/run.ts";
import type { Mutation } from "./mutation.ts";

const EMPTY_STATE_VECTOR = new Uint8Array([0]);

/** Engines with one mistake each. Made anew for each run: some of them remember. */
export const MUTATIONS = {
  "applies a diff that was computed for somebody else": () => ({
    receive: (message, id) =>
      message.kind === "reply" && message.to !== id ? { ...message, to: id } : message,
  }),

  "leaves deletions out of its digest": () => ({
    document: (document) => ({
      ...bound(document),
      digest: () => structDigest(everythingIn(document)),
    }),
  }),

  "leaves deletions out of its diffs": () => ({
    document: (document) => ({
      ...bound(document),
      difference(stateVector, limit) {
        const { update, whole } = document.difference(stateVector, limit);
        return { update: update && withoutDeletions(update), whole };
      },
    }),
  }),

  "says that it holds what lies behind a hole": () => ({
    document: (document) => ({
      ...bound(document),
      stateVector: () => boldStateVector(everythingIn(document)),
      withStaged: () => ({
        ...document.withStaged(),
        stateVector: boldStateVector(everythingIn(document)),
      }),
    }),
  }),

  "does not hear that its link is back": () => ({
    receive: (message) => (message.kind === "up" ? undefined : message),
  }),

  "does not hear that its link was cut": () => ({
    receive: (message) => (message.kind === "up" || message.kind === "down" ? undefined : message),
  }),

  "sees no gap": seesNoGap,

  "sees neither gap nor hole": () => ({
    ...seesNoGap(),
    document: (document) => ({ ...bound(document), complete: () => true }),
  }),

  "sends no digest": () => ({
    send: (message) => (message.kind === "digest" ? undefined : message),
  }),

  "asks once and never again": () => ({ options: { requestAttempts: 1 } }),

  "hands nothing back": () => ({
    send: (message) =>
      message.kind === "reply" && message.frames[0]?.length === 0 ? undefined : message,
  }),

  "publishes what it has received": () => ({
    host: (host, id) => ({
      ...host,
      apply(frames, from, heldByPeer) {
        host.apply(frames, from, heldByPeer);
        if (from.kind === "update") host.send({ ...from, sender: id, frames });
      },
    }),
  }),

  "keeps everything while its link is down": () => ({
    options: { offlineBytes: Number.POSITIVE_INFINITY },
  }),

  "has a digest of its own": () => ({
    document: (document, id) => ({
      ...bound(document),
      digest: () => new TextEncoder().encode(id.slice(0, 8)),
    }),
  }),

  "applies each part of a repair when it comes": () => ({
    host: (host) => ({
      ...host,
      stage(frames, from) {
        host.apply(frames, from);
        return true;
      },
    }),
  }),

  "forgets every tenth update from a peer": () => {
    let count = 0;
    return {
      receive: (message) =>
        message.kind === "update" && ++count % 10 === 0 ? { ...message, frames: [] } : message,
    };
  },
} satisfies Record<string, () => Mutation>;

function bound(document: ReplicaDocument) {
  return {
    stateVector: () => document.stateVector(),
    difference: (stateVector: Uint8Array, limit: number) => document.difference(stateVector, limit),
    digest: () => document.digest(),
    complete: () => document.complete(),
    withStaged: () => document.withStaged(),
  };
}

function everythingIn(document: ReplicaDocument): Uint8Array | undefined {
  return document.difference(EMPTY_STATE_VECTOR, Number.POSITIVE_INFINITY).update;
}

/** Numbers what comes in anew, as if everything had come. */
function seesNoGap(): Mutation {
  const received = new Map<string, number>();
  return {
    receive(message, id) {
      if (!("frames" in message)) return message;
      const key = `${id} ${message.sender} ${message.epoch}`;
      const seq = (received.get(key) ?? 0) + (message.kind === "update" ? 1 : 0);
      received.set(key, seq);
      return { ...message, seq } satisfies PeerMessage;
    },
  };
}

function structDigest(everything: Uint8Array | undefined): Uint8Array {
  const ends = new Map<number, number[]>();
  if (everything !== undefined) {
    for (const { client, end } of readUpdate(everything).runs) ends.set(client, [0, end]);
  }
  return digestOf(ends, new Map());
}

/** None if there is nothing else in it. */
function withoutDeletions(diff: Uint8Array): Uint8Array | undefined {
  // An update ends with its deletions, and those of a diff without structs are all there is.
  const { structs, ds } = Y.decodeUpdate(diff);
  if (structs.length === 0) return undefined;
  let size = varUintLength(ds.clients.size);
  for (const [client, items] of ds.clients) {
    size += varUintLength(client) + varUintLength(items.length);
    for (const { clock, len } of items) size += varUintLength(clock) + varUintLength(len);
  }
  const bytes = new Uint8Array(diff.length - size + 1);
  bytes.set(diff.subarray(0, diff.length - size));
  return bytes;
}

function varUintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length += 1;
  return length;
}

function boldStateVector(everything: Uint8Array | undefined): Uint8Array {
  const ends = new Map<number, number>();
  if (everything !== undefined) {
    for (const { client, end } of readUpdate(everything).runs) ends.set(client, end);
  }
  const encoded = Y.encodeStateVector(ends);
  if (decodeStateVector(encoded) === undefined) throw new Error("no state vector");
  return encoded;
}
