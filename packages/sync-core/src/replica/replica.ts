/**
 * Keeps ONE document in step with its peers over a transport that may lose anything.
 *
 * Sans-I/O: the host feeds it what happens and carries out what it asks for; clock, randomness and the document are
 * handed in. It knows no socket, no broker and no server, so that any Yjs server can embed it.
 *
 * How it works, in the order things go wrong:
 * - Every update message carries a sequence number; a gap, and any later message with a higher number, reveals loss.
 *   The last message before silence is revealed by the digest that follows activity and backs off to nothing.
 * - What a peer types behind a gap waits until that is repaired, a second at most: nobody sees it in a document that lacks what
 *   it was typed in.
 * - A repair is one `request` (state vector and digest) and one `reply` (state vector and digest of the replier, so that
 *   the asker can hand back what it lacks, and the difference). A difference carries the WHOLE delete set, so it is
 *   applied by nobody but the one it was computed for (ueberdosis/hocuspocus#1151). Of one that is large a reply has the
 *   beginning, and no digest: the asker puts that aside and asks for the rest, and applies all of it at once, so that
 *   nobody sees a document that never was.
 * - With a storage that all replicas use, only the one whose clients have typed something stores it. Its digest, and its
 *   `leave`, have an empty second frame once that is done; if it dies before, the others store what they have of it.
 * - A request to everyone is answered by one peer: each waits a random moment and stays silent if another was first
 *   (suppression as in SRM: Floyd et al., "A Reliable Multicast Framework", 1997). Unanswered, it is asked again.
 */
import type { PeerMessage, TransportSignal } from "../contract/message.ts";
import { encodeSyncStep1, encodeSyncStep2 } from "../wire/client-frame.ts";
import { decodeStateVector, isAhead } from "../wire/state-vector.ts";
import type { StateVector } from "../wire/state-vector.ts";
import { DigestSchedule } from "./digest-schedule.ts";
import type { DigestHost } from "./digest-schedule.ts";
import { earlier } from "./earlier.ts";
import { HeldBack } from "./held-back.ts";
import { readPeerState } from "./peer-state.ts";
import type { PeerState } from "./peer-state.ts";
import { Peers } from "./peers.ts";
import { EVERYONE, Requests } from "./requests.ts";
import type { RequestsHost } from "./requests.ts";
import { UnsentUpdates } from "./unsent-updates.ts";
import { equalBytes } from "./equal-bytes.ts";
import { withReplicaDefaults } from "./options.ts";
import type { Difference, ReplicaDocument, ReplicaHost, ReplicaOptions } from "./options.ts";

export interface Replica {
  /** Begins: tells the peers what is held and asks for the rest; once it is up if the transport has said `down` by now. */
  start(): void;
  /** A local client's update, as a client frame. It goes out with the next `flush`. */
  localUpdate(frame: Uint8Array): void;
  /** A local client's presence, as a client frame. It goes out with the next `flush`. */
  localAwareness(frame: Uint8Array): void;
  /** The same, of presence that has not changed. */
  localRenewal(frame: Uint8Array): void;
  /** All that local clients have typed is stored. */
  stored(): void;
  /** The event-loop turn is over: sends what was collected, as one update and one awareness message. */
  flush(): void;
  /** Something came from the transport. */
  receive(message: PeerMessage | TransportSignal): void;
  /** The moment asked for with `wakeAt` has come. */
  tick(): void;
  /** The document is being closed: says so to the peers. Nothing may be called afterwards. */
  leave(): void;
  /** Whether the peers' state is here, or there is nobody to ask: a joining client can be answered. */
  hasJoined(): boolean;
}

interface Answer {
  readonly state: PeerState;
  readonly at: number;
}

const EMPTY = new Uint8Array();
const NO_DIFFERENCE: Difference = { update: undefined, whole: true };

export function createReplica(
  document: ReplicaDocument,
  host: ReplicaHost,
  options: ReplicaOptions,
): Replica {
  return new DocumentReplica(document, host, options);
}

/** A class, as are the other parts that each document has: thousands of them share their functions. */
class DocumentReplica implements Replica, RequestsHost, DigestHost {
  readonly #document: ReplicaDocument;
  readonly #host: ReplicaHost;
  readonly #timing: Required<ReplicaOptions>;
  readonly #peers = new Peers();
  /** Requests of others to everyone, that this replica answers unless another does first; seldom any. */
  #answers: Map<string, Answer> | undefined;
  readonly #updates: UnsentUpdates;
  readonly #digests: DigestSchedule;
  readonly #requests: Requests;
  readonly #heldBack: HeldBack;
  #up = false;
  /** What the transport has said last, which may be before the start. One that has said nothing is live. */
  #saidDown = false;
  #joined = false;
  #joinBy: number | undefined;
  #seq = 0;
  /** Something was sent that the peers were not told to be stored. */
  #unconfirmed = false;
  #awareness: Uint8Array[] = [];
  #renewals: Uint8Array[] = [];

  constructor(document: ReplicaDocument, host: ReplicaHost, options: ReplicaOptions) {
    const timing = withReplicaDefaults(options);
    this.#document = document;
    this.#host = host;
    this.#timing = timing;
    this.#updates = new UnsentUpdates(timing.offlineBytes, timing.offlineBudget);
    this.#digests = new DigestSchedule(timing, this);
    this.#requests = new Requests(document, this, timing);
    this.#heldBack = new HeldBack(2 * timing.requestTimeout);
  }

  now(): number {
    return this.#host.now();
  }

  random(): number {
    return this.#host.random();
  }

  isUp(): boolean {
    return this.#up;
  }

  hasAudience(): boolean {
    return this.#up && this.#peers.size > 0;
  }

  send(frames: readonly Uint8Array[], to: string | undefined): void {
    this.#post("request", frames, to);
  }

  unheard(): void {
    this.#release();
    this.#peers.forgetSilent(this.#host.now() - this.#timing.peerSilence);
  }

  hasJoined(): boolean {
    return this.#joined;
  }

  start(): void {
    this.#joinBy = this.#host.now() + this.#timing.joinTimeout;
    if (!this.#saidDown) this.#goUp();
    this.#schedule();
  }

  localUpdate(frame: Uint8Array): void {
    this.#updates.add(frame, this.#up);
  }

  localAwareness(frame: Uint8Array): void {
    // While the link is down nothing is kept: the snapshot on the way up says it all.
    if (this.#up) this.#awareness.push(frame);
  }

  localRenewal(frame: Uint8Array): void {
    if (this.#up) this.#renewals.push(frame);
  }

  stored(): void {
    // Mostly the next digest is still to come, and says so.
    if (!this.#unconfirmed || this.#digests.at !== undefined) return;
    this.#digests.compareSoon();
    this.#schedule();
  }

  flush(): void {
    this.#sendCollected();
    this.#schedule();
  }

  receive(message: PeerMessage | TransportSignal): void {
    if ("frames" in message) this.#onPeerMessage(message);
    else this.#onSignal(message);
    this.#schedule();
  }

  tick(): void {
    const now = this.#host.now();
    if (!this.#joined && this.#joinBy !== undefined && this.#joinBy <= now) this.#finishJoin();
    for (const [to, answer] of this.#answers ?? []) {
      if (answer.at <= now) this.#reply(to, answer.state, { wantsBack: true });
    }
    if (this.#heldBack.until !== undefined && this.#heldBack.until <= now) this.#release();
    this.#requests.tick(now);
    if (this.#digests.at !== undefined && this.#digests.at <= now) {
      this.#post("digest", [this.#document.digest(), ...this.#confirmation()]);
      this.#digests.said();
    }
    this.#schedule();
  }

  leave(): void {
    this.#release();
    this.#sendCollected();
    this.#post("leave", this.#confirmation());
    this.#updates.take();
    this.#up = false;
    this.#host.wakeAt(undefined);
  }

  #jitter(span: number): number {
    return this.#host.random() * span;
  }

  #post(kind: PeerMessage["kind"], frames: readonly Uint8Array[], to?: string): void {
    if (!this.#up) return;
    const { id, epoch } = this.#timing;
    const seq = this.#seq;
    if (to === undefined) this.#host.send({ kind, sender: id, epoch, seq, frames });
    else this.#host.send({ kind, sender: id, epoch, seq, frames, to });
  }

  /** The frame that says so, if all that was sent is stored. */
  #confirmation(): readonly Uint8Array[] {
    if (this.#host.storing() !== "done") return [];
    this.#unconfirmed = false;
    return [EMPTY];
  }

  #schedule(): void {
    let next = earlier(earlier(this.#requests.at, this.#digests.at), this.#heldBack.until);
    if (!this.#joined) next = earlier(next, this.#joinBy);
    if (this.#answers !== undefined) {
      for (const { at } of this.#answers.values()) next = earlier(next, at);
    }
    this.#host.wakeAt(next);
  }

  /** Whatever was asked for is here. */
  #answered(): void {
    this.#requests.answered();
    this.#release();
    this.#finishJoin();
  }

  #finishJoin(): void {
    if (this.#joined) return;
    this.#joined = true;
    this.#host.joined();
  }

  #reply(
    to: string,
    theirs: PeerState,
    { wantsBack, whole = false }: { readonly wantsBack: boolean; readonly whole?: boolean },
  ): void {
    this.#answers?.delete(to);
    if (wantsBack) this.#requests.postponePlanFor(to);
    // Equal digests, the usual answer to a request after a harmless reconnect: nothing need be computed or sent.
    const digest = this.#document.digest();
    const limit = whole ? Number.POSITIVE_INFINITY : this.#timing.replyBytes;
    const difference = equalBytes(theirs.digest, digest)
      ? NO_DIFFERENCE
      : this.#document.difference(theirs.stateVector, limit);
    const frames = difference.update === undefined ? [] : [encodeSyncStep2(difference.update)];
    const own = encodeSyncStep1(this.#document.stateVector());
    if (!difference.whole) this.#post("reply", [own, EMPTY, theirs.digest, ...frames], to);
    else if (wantsBack) this.#post("reply", [own, digest, ...frames], to);
    else this.#post("reply", [EMPTY, EMPTY, ...frames], to);
  }

  #onRequest(message: PeerMessage): void {
    const theirs = readPeerState(message.frames[0], message.frames[1]);
    if (theirs === undefined) {
      this.#host.malformed(message);
      return;
    }
    const toMe = message.to === this.#timing.id;
    if (message.to !== undefined && !toMe) {
      this.#requests.settledWith(message.to);
      return;
    }
    if (message.to === undefined) this.#sendPresence(message.sender);
    if (toMe || this.#peers.size === 1) {
      this.#reply(message.sender, theirs, { wantsBack: true, whole: message.frames.length > 2 });
    } else {
      const at = this.#host.now() + this.#jitter(this.#timing.replySpread);
      (this.#answers ??= new Map()).set(message.sender, { state: theirs, at });
    }
    // It may hold what is missing here; the one that replies is handed that back, the others must ask.
    if (isAhead(theirs.decoded, decoded(this.#document.withStaged().stateVector))) {
      this.#requests.plan(
        message.sender,
        this.#timing.replySpread * (1 + this.#host.random()),
        "behind",
      );
    }
  }

  #sendPresence(to?: string): void {
    const presence = this.#host.awarenessSnapshot();
    if (presence !== undefined) this.#post("awareness", [presence], to);
  }

  #onReply(message: PeerMessage): void {
    if (message.to !== this.#timing.id) {
      // Somebody was first.
      if (message.to !== undefined) this.#answers?.delete(message.to);
      return;
    }
    const [stateVector, digest, ...rest] = message.frames;
    if (stateVector === undefined || digest === undefined) {
      this.#host.malformed(message);
      return;
    }
    // Without a digest it is the beginning of a large difference, and says to which request.
    if (stateVector.length > 0 && digest.length === 0) {
      this.#onBeginning(message, rest[0] ?? EMPTY, rest.slice(1));
      return;
    }
    const theirs = stateVector.length > 0 ? readPeerState(stateVector, digest) : undefined;
    if (theirs === undefined && stateVector.length > 0) {
      this.#host.malformed(message);
      return;
    }
    if (theirs !== undefined && this.#requests.collectsFromOther(message.sender)) return;
    const before = this.#document.digest();
    this.#host.apply(rest, message, theirs?.decoded);
    if (!equalBytes(before, this.#document.digest())) this.#digests.compareSoon();
    this.#requests.dropPlanFor(message.sender);
    this.#answered();
    if (theirs === undefined) return;
    if (equalBytes(theirs.digest, this.#document.digest())) {
      this.#requests.fruitful();
      return;
    }
    if (isAhead(theirs.decoded, decoded(this.#document.stateVector()))) {
      this.#requests.inVain(message.sender);
      return;
    }
    this.#requests.fruitful();
    // Everything the replier has is here now, so what differs is what it lacks.
    this.#reply(message.sender, theirs, { wantsBack: false });
  }

  #onBeginning(message: PeerMessage, to: Uint8Array, part: readonly Uint8Array[]): void {
    if (this.#requests.collectsFromOther(message.sender)) return;
    const gained = this.#host.stage(part, message);
    const worthWaiting = this.#requests.beginningCame(message.sender, gained, to);
    if (worthWaiting && !this.#joined) this.#joinBy = this.#host.now() + this.#timing.joinTimeout;
  }

  #onDigest(message: PeerMessage): void {
    const theirs = message.frames[0];
    if (theirs === undefined) {
      this.#host.malformed(message);
      return;
    }
    if (message.frames.length > 1) this.#confirm(message);
    if (equalBytes(theirs, this.#document.digest())) {
      // It says nothing about where this replica's edits are stored.
      if (!this.#unconfirmed) this.#digests.said();
      return;
    }
    this.#digests.differed();
    if (this.#digests.unsettled) return;
    this.#requests.plan(message.sender, this.#jitter(this.#timing.replySpread), "digest");
  }

  #confirm(message: PeerMessage): void {
    if (this.#peers.isLatest(message)) this.#host.confirmed(message.sender);
  }

  #onPeerMessage(message: PeerMessage): void {
    if (message.sender === this.#timing.id) return;
    const known = this.#peers.size;
    const noticed = this.#peers.notice(message, this.#host.now());
    if (noticed === "stale") return;
    if (this.#peers.size > known || noticed === "restarted") this.#digests.compareSoon();
    this.#requests.noteLife();
    if (noticed === "gap" && this.#peers.size === known) this.#host.missed(message);
    if (noticed === "restarted") this.#host.gone(message.sender);
    if (noticed !== "in-order") {
      this.#heldBack.missed(message.sender);
      this.#requests.plan(message.sender, this.#jitter(this.#timing.gapDelay), "behind");
    }
    switch (message.kind) {
      case "update":
        this.#onUpdate(message);
        this.#digests.typed("elsewhere");
        return;
      case "awareness":
      case "renewal":
        if (message.to !== undefined && message.to !== this.#timing.id) return;
        this.#host.applyAwareness(message.frames, message);
        return;
      case "request":
        this.#onRequest(message);
        return;
      case "reply":
        this.#onReply(message);
        return;
      case "digest":
        this.#onDigest(message);
        return;
      case "leave":
        if (message.frames.length > 0) this.#confirm(message);
        this.#release();
        this.#peers.forget(message.sender);
        this.#answers?.delete(message.sender);
        this.#host.gone(message.sender);
    }
  }

  #onUpdate(message: PeerMessage): void {
    const verdict = this.#heldBack.hold(message, this.#host.now());
    if (verdict === "held") return;
    if (verdict === "full") this.#release();
    this.#applyUpdates(message);
  }

  #applyUpdates(message: PeerMessage): void {
    this.#host.apply(message.frames, message);
    if (!this.#document.complete())
      this.#requests.plan(message.sender, this.#timing.requestTimeout, "behind");
  }

  #release(): void {
    for (const message of this.#heldBack.release()) this.#applyUpdates(message);
  }

  #onSignal(signal: TransportSignal): void {
    switch (signal.kind) {
      case "up":
        this.#saidDown = false;
        this.#goUp();
        return;
      case "down":
        this.#saidDown = true;
        this.#up = false;
        this.#release();
        this.#answers?.clear();
        this.#requests.cancel();
        this.#digests.cancel();
        this.#finishJoin();
        return;
      case "lost":
        this.#requests.noteLife();
        // What was lost on the way in may be anybody's; what was lost on the way out the peers will ask for.
        this.#requests.plan(EVERYONE, this.#jitter(this.#timing.replySpread), "behind");
        return;
      case "alone":
        if (this.#requests.underWay) this.#answered();
        return;
      case "gone":
        this.#release();
        this.#peers.forget(signal.sender);
        this.#answers?.delete(signal.sender);
        this.#host.gone(signal.sender);
    }
  }

  #goUp(): void {
    this.#up = true;
    this.#sendCollected();
    this.#updates.startOver();
    this.#requests.startOver();
    this.#digests.compareSoon();
    this.#sendPresence();
  }

  #sendCollected(): void {
    if (!this.#up) return;
    if (!this.#updates.empty) {
      const frames = this.#updates.take();
      // Given here and nowhere else: a number that is given earlier and then not sent is a false gap.
      this.#seq += 1;
      this.#post("update", frames);
      this.#unconfirmed = this.#host.storing() !== "apart";
      this.#digests.typed("here");
    }
    if (this.#awareness.length > 0) {
      const frames = this.#awareness;
      this.#awareness = [];
      this.#post("awareness", frames);
    }
    if (this.#renewals.length > 0) {
      const frames = this.#renewals;
      this.#renewals = [];
      // Nobody is there to take it for over; who comes is told all.
      if (this.#peers.size > 0) this.#post("renewal", frames);
    }
  }
}

function decoded(stateVector: Uint8Array): StateVector {
  return decodeStateVector(stateVector) ?? new Map<number, number>();
}
