import type { PeerMessage } from "../contract/message.ts";
import type { StateVector } from "../wire/state-vector.ts";

/** The document as the replica needs it. All synchronous, and about what is held at that moment. */
export interface ReplicaDocument {
  /** Yjs's encoding of what is held without a hole, per client. */
  stateVector(): Uint8Array;
  /** What a holder of `stateVector` lacks, or about `limit` bytes of it; the deletions are all that are held. */
  difference(stateVector: Uint8Array, limit: number): Difference;
  /** Equal for two documents exactly when structs and deletions are: see `digestOf`. */
  digest(): Uint8Array;
  /** False while structs are held whose predecessors are missing. */
  complete(): boolean;
  /** What is held, and what waits beside it as a part of a repair (`ReplicaHost.stage`): what a request has to say. */
  withStaged(): { readonly stateVector: Uint8Array; readonly digest: Uint8Array };
}

/** What a peer lacks. */
export interface Difference {
  /** Undefined if nothing is held. */
  readonly update: Uint8Array | undefined;
  /** False: it is cut off at the limit and has no deletions; the peer asks for the rest. */
  readonly whole: boolean;
}

/**
 * Where local edits are stored, so that somebody stores them if this replica dies.
 * - `apart`: each replica stores all it holds in a storage of its own.
 * - `due`: in a storage that the peers use as well, and some are not there yet.
 * - `done`: in such a storage, and all are there.
 */
export type Storing = "apart" | "due" | "done";

/** What the replica asks of its surroundings. No call may throw, or call back into the replica. */
export interface ReplicaHost {
  /** Any steady clock, in milliseconds. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Hands a message to the transport. */
  send(message: PeerMessage): void;
  /**
   * Applies client frames (SyncStep2 or update) that a peer sent, as one change; refuses what is malformed.
   *
   * @param heldByPeer Given with the last part of a repair: what the peer that sent it holds. If that covers what was staged,
   * all of it is applied as the same change. Else the repair was begun by a peer that held more and is gone: its parts, and
   * these frames, are dropped, and the replica asks again.
   */
  apply(frames: readonly Uint8Array[], from: PeerMessage, heldByPeer?: StateVector): void;
  /**
   * Keeps frames beside the document: a part of a repair, of which nothing may be seen before the last part has come.
   *
   * @returns whether there is something in them that was neither held nor staged
   */
  stage(frames: readonly Uint8Array[], from: PeerMessage): boolean;
  /** Where local edits are stored now. */
  storing(): Storing;
  /** Everything that the peer has sent as `update` is stored: nobody else need store it. */
  confirmed(sender: string): void;
  /** Applies awareness frames that a peer sent, as `awareness` or `renewal`; they belong to its sender until `gone`. */
  applyAwareness(frames: readonly Uint8Array[], from: PeerMessage): void;
  /** The peer has gone: its clients' presence is over, and what it has not confirmed to be stored may be stored nowhere. */
  gone(sender: string): void;
  /** All presence that local clients own, as one client frame; `undefined` if there is none. */
  awarenessSnapshot(): Uint8Array | undefined;
  /** Messages of a peer that was heard before are missing; they are asked for. */
  missed(message: PeerMessage): void;
  /** A peer's message makes no sense; it was ignored. */
  malformed(message: PeerMessage): void;
  /** Joining clients can be answered now. Called once. */
  joined(): void;
  /** Wants `tick` called at that time, or not at all. The latest call counts. */
  wakeAt(time: number | undefined): void;
}

/** The bytes that the replicas sharing it keep while the link is down. */
export interface OfflineBudget {
  held: number;
  readonly cap: number;
}

/** All times in milliseconds. */
export interface ReplicaOptions {
  /** This replica's peer id, see `createPeerId`. */
  readonly id: string;
  /** Larger at each opening of the document by this id; milliseconds since 1970 do. */
  readonly epoch: number;
  /**
   * How long a joining client waits for the peers' state at most.
   * @default 1000
   */
  readonly joinTimeout?: number;
  /**
   * How many bytes of local updates are kept while the link is down. Above it none are, and the peers fetch them
   * when it is back.
   * @default 65536
   */
  readonly offlineBytes?: number;
  /**
   * What all replicas of an instance keep together, against their common cap.
   * @default a budget of its own, without a cap
   */
  readonly offlineBudget?: OfflineBudget;
  /**
   * After which time a request is repeated, doubling each time.
   * @default 500
   */
  readonly requestTimeout?: number;
  /**
   * How often a request is made before it waits for the next sign of life.
   * @default 5
   */
  readonly requestAttempts?: number;
  /**
   * The span in which peers choose the moment to answer a request to everyone.
   * @default 50
   */
  readonly replySpread?: number;
  /**
   * The span in which the moment to ask for what a gap has revealed is chosen.
   * @default 20
   */
  readonly gapDelay?: number;
  /**
   * About how many bytes of updates a reply carries; an asker that lacks more asks again at once. So what an instance is
   * sent waits for that instance, and a large document neither stops it nor fills its buffer at the broker.
   * @default 262144
   */
  readonly replyBytes?: number;
  /**
   * When the first digest follows activity; the next ones at double the distance each.
   * @default 1000
   */
  readonly digestDelay?: number;
  /** @default 6000 */
  readonly digestMaxDelay?: number;
  /**
   * How many digests a quiet document sends before it falls silent.
   * @default 4
   */
  readonly digestRounds?: number;
  /**
   * How long a document must be untouched for a differing digest to mean something.
   * @default 500
   */
  readonly settleTime?: number;
  /**
   * After which silence a peer that answers no request is taken to be away.
   * @default 30000
   */
  readonly peerSilence?: number;
}

/** Spelled out: what is spread together has a hidden class of its own each time, and every document has a replica. */
export function withReplicaDefaults(options: ReplicaOptions): Required<ReplicaOptions> {
  return {
    id: options.id,
    epoch: options.epoch,
    joinTimeout: options.joinTimeout ?? 1000,
    offlineBytes: options.offlineBytes ?? 65_536,
    offlineBudget: options.offlineBudget ?? { held: 0, cap: Number.POSITIVE_INFINITY },
    requestTimeout: options.requestTimeout ?? 500,
    requestAttempts: options.requestAttempts ?? 5,
    replySpread: options.replySpread ?? 50,
    gapDelay: options.gapDelay ?? 20,
    replyBytes: options.replyBytes ?? 262_144,
    digestDelay: options.digestDelay ?? 1000,
    digestMaxDelay: options.digestMaxDelay ?? 6000,
    digestRounds: options.digestRounds ?? 4,
    settleTime: options.settleTime ?? 500,
    peerSilence: options.peerSilence ?? 30_000,
  };
}
