import {
  ByteWriter,
  createReplica,
  decodeClientFrame,
  decodeStateVector,
  encodeUpdateFrame,
} from "@teleportal/sync-core";
import type { PeerMessage, Replica } from "@teleportal/sync-core";

/** What becomes of a message to one receiver: after how many milliseconds it comes, each time it does. */
export type Route = (message: PeerMessage, receiver: string) => readonly number[];

/** A replica of a document that is nothing but numbers from 0 on, each an update of its own. */
export interface NumbersReplica {
  readonly id: string;
  readonly held: Set<number>;
  readonly sent: readonly PeerMessage[];
  /** How many were held when joining clients could first be answered. */
  readonly heldWhenJoined: number | undefined;
  start(): void;
  /** What its transport says of the link. */
  link(said: "up" | "down"): void;
  type(number: number): void;
}

/** Replicas, a clock and a network that a test decides about. */
export function createReplicaNetwork(route: Route) {
  let now = 0;
  let turn = 0;
  const due: { at: number; turn: number; run: () => void }[] = [];
  const receivers = new Map<string, Replica>();

  function at(time: number, run: () => void): { at: number; turn: number; run: () => void } {
    const task = { at: time, turn: turn++, run };
    due.push(task);
    return task;
  }

  return {
    get now() {
      return now;
    },
    runUntil(time: number): void {
      for (;;) {
        due.sort((a, b) => a.at - b.at || a.turn - b.turn);
        const next = due[0];
        if (next === undefined || next.at > time) break;
        due.shift();
        now = Math.max(now, next.at);
        next.run();
      }
      now = time;
    },
    add(id: string, numbers: Iterable<number> = []): NumbersReplica {
      const held = new Set(numbers);
      const sent: PeerMessage[] = [];
      let heldWhenJoined: number | undefined;
      let wake: { run: () => void } | undefined;
      const contiguous = (): number => {
        let count = 0;
        while (held.has(count)) count += 1;
        return count;
      };

      const replica = createReplica(
        {
          stateVector: () => stateVectorOf(contiguous()),
          diff(stateVector) {
            const theirs = decodeStateVector(stateVector)?.get(1) ?? 0;
            return [...held]
              .filter((number) => number >= theirs)
              .sort((a, b) => a - b)
              .map(updateOf);
          },
          digest: () => new TextEncoder().encode([...held].sort((a, b) => a - b).join()),
          complete: () => contiguous() === held.size,
        },
        {
          now: () => now,
          random: () => 0.5,
          send(message) {
            sent.push(message);
            for (const [receiver, other] of receivers) {
              if (receiver === id) continue;
              for (const latency of route(message, receiver)) {
                at(now + latency, () => other.receive(message));
              }
            }
          },
          apply(frames) {
            for (const frame of frames) {
              const read = decodeClientFrame(frame);
              if (read.type === "update" || read.type === "sync-step-2") {
                held.add(new DataView(read.update.slice().buffer).getUint16(0));
              }
            }
          },
          applyAwareness() {},
          gone() {},
          awarenessSnapshot: () => undefined,
          missed() {},
          malformed(message) {
            throw new Error(`a ${message.kind} is taken for malformed`);
          },
          joined() {
            heldWhenJoined = held.size;
          },
          wakeAt(time) {
            if (wake !== undefined) wake.run = () => {};
            wake = time === undefined ? undefined : at(time, () => replica.tick());
          },
        },
        // Two updates a reply: each is of two bytes.
        { id, epoch: 1, replyBytes: 4 },
      );
      receivers.set(id, replica);
      return {
        id,
        held,
        sent,
        get heldWhenJoined() {
          return heldWhenJoined;
        },
        start: () => replica.start(),
        link: (kind) => replica.receive({ kind }),
        type(number) {
          held.add(number);
          replica.localUpdate(encodeUpdateFrame(updateOf(number)));
          replica.flush();
        },
      };
    },
  };
}

function updateOf(number: number): Uint8Array {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, number);
  return bytes;
}

function stateVectorOf(count: number): Uint8Array {
  const writer = new ByteWriter();
  writer.varUint(count === 0 ? 0 : 1);
  if (count > 0) {
    writer.varUint(1);
    writer.varUint(count);
  }
  return writer.finish();
}
