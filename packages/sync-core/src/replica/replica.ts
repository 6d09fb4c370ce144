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
import { Backoff } from "./backoff.ts";
import { DigestSchedule } from "./digest-schedule.ts";
import { readPeerState } from "./peer-state.ts";
import type { PeerState } from "./peer-state.ts";
import { Peers } from "./peers.ts";
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

interface PlannedRequest {
  readonly to: string | typeof EVERYONE;
  readonly at: number;
  /** `digest`: two replicas differ and it is not known which is behind; any exchange between them settles it. */
  readonly why: "behind" | "digest";
}

const EMPTY = new Uint8Array();

/** Instead of an addressee. */
const EVERYONE = undefined;

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
  const asking = new Backoff(timing.requestTimeout, timing.requestTimeout * 8);
  /** Replies that were answers, and yet left this replica behind. */
  const fruitless = new Backoff(timing.requestTimeout, timing.requestTimeout * 8);
  const updates = new UnsentUpdates(timing.offlineBytes, timing.offlineBudget);
  const digests = new DigestSchedule(timing, host, () => up && peers.size > 0);

  let up = false;
  let joined = false;
  let joinBy: number | undefined;
  let seq = 0;
  let awareness: Uint8Array[] = [];
  let renewals: Uint8Array[] = [];
  let planned: PlannedRequest | undefined;
  /** The request under way is taken for unanswered then. */
  let answerBy: number | undefined;
  /** How much of a large difference was asked for last, and as holder of what: a reply to another request is none to this. */
  let asked: "beginning" | "whole" = "beginning";
  let askedAs: Uint8Array = EMPTY;
  /** Requests were made until it was enough, and nobody has answered. */
  let unheard = false;

  function jitter(span: number): number {
    return host.random() * span;
  }

  function send(kind: PeerMessage["kind"], frames: readonly Uint8Array[], to?: string): void {
    if (!up) return;
    if (to === undefined) host.send({ kind, sender: id, epoch, seq, frames });
    else host.send({ kind, sender: id, epoch, seq, frames, to });
  }

  function schedule(): void {
    let next = earlier(answerBy ?? planned?.at, digests.at);
    if (!joined) next = earlier(next, joinBy);
    if (answers.size > 0) for (const { at } of answers.values()) next = earlier(next, at);
    host.wakeAt(next);
  }

  function finishJoin(): void {
    if (joined) return;
    joined = true;
    host.joined();
  }

  /** Plans a request. Two that meet become one to everyone. */
  function askSoon(to: string | typeof EVERYONE, delay: number, why: PlannedRequest["why"]): void {
    const at = host.now() + delay;
    if (planned === undefined) {
      planned = { to, at, why };
      return;
    }
    planned = {
      to: planned.to === to ? to : EVERYONE,
      at: Math.min(planned.at, at),
      why: planned.why === why ? why : "behind",
    };
  }

  function ask(to: string | typeof EVERYONE, amount: "beginning" | "whole" = "beginning"): void {
    if (!up) return;
    asked = amount;
    askedAs = document.digest();
    answerBy = host.now() + asking.next() + jitter(timing.requestTimeout / 4);
    const state = [encodeSyncStep1(document.stateVector()), askedAs];
    // A third frame says that the whole difference is wanted in one reply.
    send("request", amount === "whole" ? [...state, EMPTY] : state, to);
  }

  function answered(): void {
    answerBy = undefined;
    unheard = false;
    asking.reset();
    finishJoin();
  }

  function unanswered(): void {
    answerBy = undefined;
    if (asking.steps >= timing.requestAttempts) {
      // Nobody is there, or nobody who can answer: the next sign of life starts over.
      asking.reset();
      unheard = true;
      peers.forgetSilent(host.now() - timing.peerSilence);
      return;
    }
    askSoon(EVERYONE, 0, "behind");
  }

  /** A peer can be heard: what was asked into the void is asked again soon, not when the backoff ends. */
  function noteLife(): void {
    if (unheard) {
      unheard = false;
      askSoon(EVERYONE, jitter(timing.requestTimeout), "behind");
    } else if (answerBy !== undefined && asking.steps > 1) {
      answerBy = earlier(answerBy, host.now() + jitter(timing.requestTimeout));
    }
  }

  function reply(
    to: string,
    theirs: PeerState,
    { wantsBack, whole = false }: { readonly wantsBack: boolean; readonly whole?: boolean },
  ): void {
    answers.delete(to);
    // What was to be asked of that peer comes with its own answer, if it has any.
    if (wantsBack && planned?.to === to) {
      planned = { ...planned, at: Math.max(planned.at, host.now() + timing.requestTimeout) };
    }
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
      // The two settle between them what this replica was about to ask for.
      if (planned?.why === "digest" && planned.to === message.to) planned = undefined;
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
      askSoon(message.sender, timing.replySpread * (1 + host.random()), "behind");
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
      askForRest(message.sender, gained, rest[0] ?? EMPTY);
      return;
    }
    if (planned?.to === message.sender) planned = undefined;
    answered();
    if (stateVector.length === 0) return;
    const theirs = readPeerState(stateVector, digest);
    if (theirs === undefined) {
      host.malformed(message);
      return;
    }
    if (equalBytes(theirs.digest, document.digest())) {
      fruitless.reset();
      return;
    }
    if (isAhead(theirs.decoded, ownStateVector())) {
      askInVain(message.sender);
      return;
    }
    fruitless.reset();
    // Everything the replier has is here now, so what differs is what it lacks.
    reply(message.sender, theirs, { wantsBack: false });
  }

  /** The reply had the beginning of a large difference, for who held what has the digest `to`. */
  function askForRest(sender: string, gained: boolean, to: Uint8Array): void {
    const isAnswer = answerBy !== undefined && equalBytes(to, askedAs);
    // Another peer's answer, or one that came twice: what is being asked for goes on.
    if (answerBy !== undefined && !isAnswer) return;
    if (!gained && !isAnswer) return;
    answerBy = undefined;
    if (planned?.to === sender) planned = undefined;
    if (gained) {
      asking.reset();
      // What comes is worth waiting for.
      if (!joined) joinBy = host.now() + timing.joinTimeout;
      ask(sender);
    } else if (asked === "beginning") {
      // Held already, behind a hole, where no state vector can say so: it would be sent again and again.
      ask(sender, "whole");
    } else askInVain(sender);
  }

  /** Behind still: the reply crossed with an update, or the host refuses what it holds. In the end the digests take over. */
  function askInVain(sender: string): void {
    if (fruitless.steps >= timing.requestAttempts) return;
    askSoon(sender, fruitless.next(), "behind");
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
    askSoon(message.sender, jitter(timing.replySpread), "digest");
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
    noteLife();
    if (noticed === "gap" && peers.size === known) host.missed(message);
    if (noticed === "restarted") host.gone(message.sender);
    if (noticed !== "in-order") askSoon(message.sender, jitter(timing.gapDelay), "behind");
    switch (message.kind) {
      case "update":
        host.apply(message.frames, message);
        if (!document.complete()) askSoon(message.sender, timing.requestTimeout, "behind");
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
        planned = answerBy = undefined;
        digests.cancel();
        finishJoin();
        return;
      case "lost":
        noteLife();
        // What was lost on the way in may be anybody's; what was lost on the way out the peers will ask for.
        askSoon(EVERYONE, jitter(timing.replySpread), "behind");
        return;
      case "alone":
        if (answerBy !== undefined) answered();
        return;
      case "gone":
        peers.forget(signal.sender);
        answers.delete(signal.sender);
        host.gone(signal.sender);
    }
  }

  function goUp(): void {
    up = true;
    asking.reset();
    sendCollected();
    updates.startOver();
    planned = undefined;
    ask(EVERYONE);
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
      if (answerBy !== undefined && answerBy <= now) unanswered();
      if (answerBy === undefined && planned !== undefined && planned.at <= now) {
        const { to } = planned;
        planned = undefined;
        ask(to);
      }
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

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}

/** The first updates, as many as have `bytes` together, and one at least. */
function beginningOf(updates: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let room = bytes;
  const end = updates.findIndex((update, index) => (room -= update.length) < 0 && index > 0);
  return end === -1 ? updates : updates.slice(0, end);
}
