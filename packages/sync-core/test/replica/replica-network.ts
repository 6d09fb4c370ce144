import {
  ByteWriter,
  createReplica,
  decodeClientFrame,
  decodeStateVector,
  encodeUpdateFrame,
} from "@teleportal/sync-core";
import type { PeerMessage, Replica, Storing } from "@teleportal/sync-core";

/** What becomes of a message to one receiver: after how many milliseconds it comes, each time it does. */
export type Route = (message: PeerMessage, receiver: string) => readonly number[];

/** A replica of a document that is nothing but numbers from 0 on, each an update of its own. */
export interface NumbersReplica {
  readonly id: string;
  readonly held: Set<number>;
  readonly sent: readonly PeerMessage[];
  /** Whose updates it was told to be stored. */
  readonly confirmed: readonly string[];
  /** How many were held when joining clients could first be answered. */
  readonly heldWhenJoined: number | undefined;
  start(): void;
  /** What its transport says of the link. */
  link(said: "up" | "down"): void;
  type(number: number): void;
  /** Where its updates are stored now; `apart` until it is said. */
  stores(state: Storing): void;
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
      const confirmed: string[] = [];
      let storing: Storing = "apart";
      let heldWhenJoined: number | undefined;
      let wake: { run: () => void } | undefined;
      /** Parts of a difference that is not whole. */
      let staged = new Set<number>();
      let stagedBy: string | undefined;
      const stateOf = (numbers: ReadonlySet<number>) => ({
        stateVector: stateVectorOf(contiguous(numbers)),
        digest: digestOf(numbers),
      });

      const replica = createReplica(
        {
          stateVector: () => stateOf(held).stateVector,
          difference(stateVector, limit) {
            const theirs = decodeStateVector(stateVector)?.get(1) ?? 0;
            const missing = inOrder(held).filter((number) => number >= theirs);
            const fitting = missing.slice(0, limit / BYTES_PER_NUMBER);
            return { update: updateOf(fitting), whole: fitting.length === missing.length };
          },
          digest: () => stateOf(held).digest,
          complete: () => contiguous(held) === held.size,
          withStaged: () => stateOf(new Set([...held, ...staged])),
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
          apply(frames, from, heldByPeer) {
            if (heldByPeer !== undefined) {
              const parts = staged;
              staged = new Set();
              const isWithin = Math.max(-1, ...parts) < (heldByPeer.get(1) ?? 0);
              if (from.sender !== stagedBy && !isWithin) return;
              for (const number of parts) held.add(number);
            }
            for (const number of numbersIn(frames)) held.add(number);
          },
          stage(frames, from) {
            stagedBy = from.sender;
            const news = [...numbersIn(frames)].filter(
              (number) => !held.has(number) && !staged.has(number),
            );
            for (const number of numbersIn(frames)) staged.add(number);
            return news.length > 0;
          },
          storing: () => storing,
          confirmed: (sender) => void confirmed.push(sender),
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
        { id, epoch: 1, replyBytes: 2 * BYTES_PER_NUMBER },
      );
      receivers.set(id, replica);
      return {
        id,
        held,
        sent,
        confirmed,
        get heldWhenJoined() {
          return heldWhenJoined;
        },
        start: () => replica.start(),
        link: (kind) => replica.receive({ kind }),
        type(number) {
          held.add(number);
          replica.localUpdate(encodeUpdateFrame(updateOf([number])));
          replica.flush();
        },
        stores(state) {
          storing = state;
          if (state === "done") replica.stored();
        },
      };
    },
  };
}

const BYTES_PER_NUMBER = 2;

function inOrder(numbers: Iterable<number>): number[] {
  return [...numbers].sort((a, b) => a - b);
}

/** How many there are from 0 on without a hole. */
function contiguous(numbers: ReadonlySet<number>): number {
  let count = 0;
  while (numbers.has(count)) count += 1;
  return count;
}

function digestOf(numbers: Iterable<number>): Uint8Array {
  return new TextEncoder().encode(inOrder(numbers).join());
}

function updateOf(numbers: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(numbers.length * BYTES_PER_NUMBER));
  for (const [index, number] of numbers.entries()) view.setUint16(index * BYTES_PER_NUMBER, number);
  return new Uint8Array(view.buffer);
}

function* numbersIn(frames: readonly Uint8Array[]): Generator<number> {
  for (const frame of frames) {
    const read = decodeClientFrame(frame);
    if (read.type !== "update" && read.type !== "sync-step-2") continue;
    const view = new DataView(read.update.slice().buffer);
    for (let i = 0; i < view.byteLength; i += BYTES_PER_NUMBER) yield view.getUint16(i);
  }
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
