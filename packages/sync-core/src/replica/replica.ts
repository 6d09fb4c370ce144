/**
 * Keeps ONE document in step with its peers over a transport that may lose anything.
 *
 * Sans-I/O: the host feeds it what happens and carries out what it asks for; clock, randomness and the document are
 * handed in. It knows no socket, no broker and no server, so that any Yjs server can embed it.
 *
 * How it works, in the order things go wrong:
 * - Every update message carries a sequence number; a gap, and any later message with a higher number, reveals loss.
 *   The last message before silence is revealed by the digest that follows activity and backs off to nothing.
 * - A repair is one `request` (state vector and digest) and one `reply` (state vector and digest of the replier, so that
 *   the asker can hand back what it lacks, and the difference). A difference carries the WHOLE delete set, so it is
 *   applied by nobody but the one it was computed for (ueberdosis/hocuspocus#1151). Of one that is large a reply has the
 *   beginning, and no digest: the asker asks for the rest when it has that.
 * - A request to everyone is answered by one peer: each waits a random moment and stays silent if another was first
 *   (suppression as in SRM: Floyd et al., "A Reliable Multicast Framework", 1997). Unanswered, it is asked again.
 */
import type { PeerMessage, TransportSignal } from "../contract/message.ts";
import { encodeSyncStep1, encodeSyncStep2 } from "../wire/client-frame.ts";
import { decodeStateVector, isAhead } from "../wire/state-vector.ts";
import type { StateVector } from "../wire/state-vector.ts";
import { DigestSchedule } from "./digest-schedule.ts";
import { earlier } from "./earlier.ts";
import { readPeerState } from "./peer-state.ts";
import type { PeerState } from "./peer-state.ts";
import { Peers } from "./peers.ts";
import { EVERYONE, Requests } from "./requests.ts";
import { UnsentUpdates } from "./unsent-updates.ts";
import { equalBytes } from "./equal-bytes.ts";
import { withReplicaDefaults } from "./options.ts";
import type { ReplicaDocument, ReplicaHost, ReplicaOptions } from "./options.ts";

export interface Replica {
  /** Begins: tells the peers what is held and asks for the rest. A transport that is not live says `down` itself. */
  start(): void;
  /** A local client's update, as a client frame. It goes out with the next `flush`. */
  localUpdate(frame: Uint8Array): void;
  /** A local client's presence, as a client frame. It goes out with the next `flush`. */
  localAwareness(frame: Uint8Array): void;
  /** The same, of presence that has not changed. */
  localRenewal(frame: Uint8Array): void;
  /** The document holds what nobody has typed now, such as the deletions that a compaction has implied. */
  changed(): void;
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

export function createReplica(
  document: ReplicaDocument,
  host: ReplicaHost,
  options: ReplicaOptions,
): Replica {
  const timing = withReplicaDefaults(options);
  const { id, epoch } = timing;
  const peers = new Peers();
  /** Requests of others to everyone, that this replica answers unless another does first. */
  const answers = new Map<string, Answer>();
  const updates = new UnsentUpdates(timing.offlineBytes, timing.offlineBudget);
  const digests = new DigestSchedule(timing, host, () => up && peers.size > 0);
  const requests = new Requests(
    document,
    {
      now: () => host.now(),
      random: () => host.random(),
      isUp: () => up,
      send: (frames, to) => send("request", frames, to),
      unheard: () => peers.forgetSilent(host.now() - timing.peerSilence),
    },
    timing,
  );

  let up = false;
  let joined = false;
  let joinBy: number | undefined;
  let seq = 0;
  let awareness: Uint8Array[] = [];
  let renewals: Uint8Array[] = [];

  function jitter(span: number): number {
    return host.random() * span;
  }

  function send(kind: PeerMessage["kind"], frames: readonly Uint8Array[], to?: string): void {
    if (!up) return;
    if (to === undefined) host.send({ kind, sender: id, epoch, seq, frames });
    else host.send({ kind, sender: id, epoch, seq, frames, to });
  }

  function schedule(): void {
    let next = earlier(requests.at, digests.at);
    if (!joined) next = earlier(next, joinBy);
    if (answers.size > 0) for (const { at } of answers.values()) next = earlier(next, at);
    host.wakeAt(next);
  }

  /** Whatever was asked for is here. */
  function answered(): void {
    requests.answered();
    finishJoin();
  }

  function finishJoin(): void {
    if (joined) return;
    joined = true;
    host.joined();
  }

  function reply(
    to: string,
    theirs: PeerState,
    { wantsBack, whole = false }: { readonly wantsBack: boolean; readonly whole?: boolean },
  ): void {
    answers.delete(to);
    if (wantsBack) requests.postponePlanFor(to);
    // Equal digests, the usual answer to a request after a harmless reconnect: nothing need be computed or sent.
    const digest = document.digest();
    const equal = equalBytes(theirs.digest, digest);
    const difference = equal ? [] : document.diff(theirs.stateVector);
    const limit = whole ? Number.POSITIVE_INFINITY : timing.replyBytes;
    const fitting = beginningOf(difference, limit).map((update) => encodeSyncStep2(update));
    const own = encodeSyncStep1(document.stateVector());
    if (fitting.length < difference.length)
      send("reply", [own, EMPTY, theirs.digest, ...fitting], to);
    else if (wantsBack) send("reply", [own, digest, ...fitting], to);
    else send("reply", [EMPTY, EMPTY, ...fitting], to);
  }

  function onRequest(message: PeerMessage): void {
    const theirs = readPeerState(message.frames[0], message.frames[1]);
    if (theirs === undefined) {
      host.malformed(message);
      return;
    }
    const toMe = message.to === id;
    if (message.to !== undefined && !toMe) {
      requests.settledWith(message.to);
      return;
    }
    if (message.to === undefined) sendPresence(message.sender);
    if (toMe || peers.size === 1) {
      reply(message.sender, theirs, { wantsBack: true, whole: message.frames.length > 2 });
    } else {
      const at = host.now() + jitter(timing.replySpread);
      answers.set(message.sender, { state: theirs, at });
    }
    // It may hold what is missing here; the one that replies is handed that back, the others must ask.
    if (isAhead(theirs.decoded, ownStateVector())) {
      requests.plan(message.sender, timing.replySpread * (1 + host.random()), "behind");
    }
  }

  function sendPresence(to?: string): void {
    const presence = host.awarenessSnapshot();
    if (presence !== undefined) send("awareness", [presence], to);
  }

  function onReply(message: PeerMessage): void {
    if (message.to !== id) {
      // Somebody was first.
      if (message.to !== undefined) answers.delete(message.to);
      return;
    }
    const [stateVector, digest, ...rest] = message.frames;
    if (stateVector === undefined || digest === undefined) {
      host.malformed(message);
      return;
    }
    // Without a digest it is the beginning of a large difference, and says to which request.
    const isBeginning = stateVector.length > 0 && digest.length === 0;
    const difference = isBeginning ? rest.slice(1) : rest;
    const before = document.digest();
    if (difference.length > 0) host.apply(difference, message);
    const gained = !equalBytes(before, document.digest());
    if (gained) digests.compareSoon();
    if (isBeginning) {
      const worthWaiting = requests.beginningCame(message.sender, gained, rest[0] ?? EMPTY);
      if (worthWaiting && !joined) joinBy = host.now() + timing.joinTimeout;
      return;
    }
    requests.dropPlanFor(message.sender);
    answered();
    if (stateVector.length === 0) return;
    const theirs = readPeerState(stateVector, digest);
    if (theirs === undefined) {
      host.malformed(message);
      return;
    }
    if (equalBytes(theirs.digest, document.digest())) {
      requests.fruitful();
      return;
    }
    if (isAhead(theirs.decoded, ownStateVector())) {
      requests.inVain(message.sender);
      return;
    }
    requests.fruitful();
    // Everything the replier has is here now, so what differs is what it lacks.
    reply(message.sender, theirs, { wantsBack: false });
  }

  function onDigest(message: PeerMessage): void {
    const theirs = message.frames[0];
    if (theirs === undefined) {
      host.malformed(message);
      return;
    }
    if (equalBytes(theirs, document.digest())) {
      digests.said();
      return;
    }
    digests.differed();
    if (digests.unsettled) return;
    requests.plan(message.sender, jitter(timing.replySpread), "digest");
  }

  function ownStateVector(): StateVector {
    return decodeStateVector(document.stateVector()) ?? new Map<number, number>();
  }

  function onPeerMessage(message: PeerMessage): void {
    if (message.sender === id) return;
    const known = peers.size;
    const noticed = peers.notice(message, host.now());
    if (noticed === "stale") return;
    if (peers.size > known || noticed === "restarted") digests.compareSoon();
    requests.noteLife();
    if (noticed === "gap" && peers.size === known) host.missed(message);
    if (noticed === "restarted") host.gone(message.sender);
    if (noticed !== "in-order") requests.plan(message.sender, jitter(timing.gapDelay), "behind");
    switch (message.kind) {
      case "update":
        host.apply(message.frames, message);
        if (!document.complete()) requests.plan(message.sender, timing.requestTimeout, "behind");
        digests.typed("elsewhere");
        return;
      case "awareness":
      case "renewal":
        if (message.to !== undefined && message.to !== id) return;
        host.applyAwareness(message.frames, message);
        return;
      case "request":
        onRequest(message);
        return;
      case "reply":
        onReply(message);
        return;
      case "digest":
        onDigest(message);
        return;
      case "leave":
        peers.forget(message.sender);
        answers.delete(message.sender);
        host.gone(message.sender);
    }
  }

  function onSignal(signal: TransportSignal): void {
    switch (signal.kind) {
      case "up":
        goUp();
        return;
      case "down":
        up = false;
        answers.clear();
        requests.cancel();
        digests.cancel();
        finishJoin();
        return;
      case "lost":
        requests.noteLife();
        // What was lost on the way in may be anybody's; what was lost on the way out the peers will ask for.
        requests.plan(EVERYONE, jitter(timing.replySpread), "behind");
        return;
      case "alone":
        if (requests.underWay) answered();
        return;
      case "gone":
        peers.forget(signal.sender);
        answers.delete(signal.sender);
        host.gone(signal.sender);
    }
  }

  function goUp(): void {
    up = true;
    sendCollected();
    updates.startOver();
    requests.startOver();
    digests.compareSoon();
    sendPresence();
  }

  function sendCollected(): void {
    if (!up) return;
    if (!updates.empty) {
      const frames = updates.take();
      // Given here and nowhere else: a number that is given earlier and then not sent is a false gap.
      seq += 1;
      send("update", frames);
      digests.typed("here");
    }
    if (awareness.length > 0) {
      const frames = awareness;
      awareness = [];
      send("awareness", frames);
    }
    if (renewals.length > 0) {
      const frames = renewals;
      renewals = [];
      // Nobody is there to take it for over; who comes is told all.
      if (peers.size > 0) send("renewal", frames);
    }
  }

  return {
    hasJoined: () => joined,
    start() {
      joinBy = host.now() + timing.joinTimeout;
      goUp();
      schedule();
    },
    localUpdate: (frame) => updates.add(frame, up),
    localAwareness(frame) {
      // While the link is down nothing is kept: the snapshot on the way up says it all.
      if (up) awareness.push(frame);
    },
    localRenewal(frame) {
      if (up) renewals.push(frame);
    },
    changed() {
      digests.compareSoon();
      schedule();
    },
    flush() {
      sendCollected();
      schedule();
    },
    receive(message) {
      if ("frames" in message) onPeerMessage(message);
      else onSignal(message);
      schedule();
    },
    tick() {
      const now = host.now();
      if (!joined && joinBy !== undefined && joinBy <= now) finishJoin();
      for (const [to, answer] of answers) {
        if (answer.at <= now) reply(to, answer.state, { wantsBack: true });
      }
      requests.tick(now);
      if (digests.at !== undefined && digests.at <= now) {
        send("digest", [document.digest()]);
        digests.said();
      }
      schedule();
    },
    leave() {
      sendCollected();
      send("leave", []);
      updates.take();
      up = false;
      host.wakeAt(undefined);
    },
  };
}

/** The first updates, as many as have `bytes` together, and one at least. */
function beginningOf(updates: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let room = bytes;
  const end = updates.findIndex((update, index) => (room -= update.length) < 0 && index > 0);
  return end === -1 ? updates : updates.slice(0, end);
}
