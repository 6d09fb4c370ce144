import { encodeSyncStep1 } from "../wire/client-frame.ts";
import { Backoff } from "./backoff.ts";
import { earlier } from "./earlier.ts";
import { equalBytes } from "./equal-bytes.ts";
import type { ReplicaDocument, ReplicaHost, ReplicaOptions } from "./options.ts";

/** Instead of an addressee. */
export const EVERYONE = undefined;

type Addressee = string | typeof EVERYONE;

type RequestTiming = Required<Pick<ReplicaOptions, "requestTimeout" | "requestAttempts">>;

interface PlannedRequest {
  readonly to: Addressee;
  readonly at: number;
  /** `digest`: two replicas differ and it is not known which is behind; any exchange between them settles it. */
  readonly why: "behind" | "digest";
}

/** What `Requests` needs of the replica that it belongs to. */
export interface RequestsHost extends Pick<ReplicaHost, "now" | "random"> {
  isUp(): boolean;
  send(frames: readonly Uint8Array[], to: Addressee): void;
  /** It was asked until it was enough, and nobody has answered. */
  unheard(): void;
}

const EMPTY = new Uint8Array();

/** What one replica asks its peers for: one request at a time, one that is planned, and how patiently it asks again. */
export class Requests {
  readonly #document: ReplicaDocument;
  readonly #host: RequestsHost;
  readonly #timing: RequestTiming;
  readonly #asking: Backoff;
  /** Replies that were answers, and yet left this replica behind. */
  readonly #fruitless: Backoff;
  #planned: PlannedRequest | undefined;
  /** The request under way is taken for unanswered then. */
  #answerBy: number | undefined;
  /** How much of a large difference was asked for last, and as holder of what: a reply to another request is none to this. */
  #asked: "beginning" | "whole" = "beginning";
  #askedAs: Uint8Array = EMPTY;
  /** The peer whose large difference is coming in parts. */
  #collecting: string | undefined;
  /** Requests were made until it was enough, and nobody has answered. */
  #unheard = false;

  constructor(document: ReplicaDocument, host: RequestsHost, timing: RequestTiming) {
    this.#document = document;
    this.#host = host;
    this.#timing = timing;
    this.#asking = new Backoff(timing.requestTimeout, timing.requestTimeout * 8);
    this.#fruitless = new Backoff(timing.requestTimeout, timing.requestTimeout * 8);
  }

  /** When `tick` has something to do. */
  get at(): number | undefined {
    return this.#answerBy ?? this.#planned?.at;
  }

  /** A request was made, and is not answered yet. */
  get underWay(): boolean {
    return this.#answerBy !== undefined;
  }

  /**
   * Whether parts of a difference are coming from another peer. What this one answers was computed for what is held without
   * them, or is the beginning of something else.
   */
  collectsFromOther(peer: string): boolean {
    return this.#collecting !== undefined && this.#collecting !== peer;
  }

  /** Plans a request. Two that meet become one to everyone. */
  plan(to: Addressee, delay: number, why: PlannedRequest["why"]): void {
    const at = this.#host.now() + delay;
    const planned = this.#planned;
    this.#planned =
      planned === undefined
        ? { to, at, why }
        : {
            to: planned.to === to ? to : EVERYONE,
            at: Math.min(planned.at, at),
            why: planned.why === why ? why : "behind",
          };
  }

  /** What was to be asked of that peer has come. */
  dropPlanFor(peer: string): void {
    if (this.#planned?.to === peer) this.#planned = undefined;
  }

  /** Two others settle between them what this replica was about to ask `peer` for. */
  settledWith(peer: string): void {
    if (this.#planned?.why === "digest") this.dropPlanFor(peer);
  }

  /** What was to be asked of that peer comes with its own answer, if it has any. */
  postponePlanFor(peer: string): void {
    const planned = this.#planned;
    if (planned?.to !== peer) return;
    const at = Math.max(planned.at, this.#host.now() + this.#timing.requestTimeout);
    this.#planned = { ...planned, at };
  }

  /** The link is up: everything begins anew, with a request to everyone. */
  startOver(): void {
    this.#asking.reset();
    this.#planned = undefined;
    this.#ask(EVERYONE, "beginning");
  }

  /** The link is down. */
  cancel(): void {
    this.#planned = this.#answerBy = this.#collecting = undefined;
  }

  /** The request under way has its answer. */
  answered(): void {
    this.#answerBy = this.#collecting = undefined;
    this.#unheard = false;
    this.#asking.reset();
  }

  /** The answer has left nothing to be asked for. */
  fruitful(): void {
    this.#fruitless.reset();
  }

  /** Behind still: the reply crossed with an update, or the host refuses what it holds. In the end the digests take over. */
  inVain(peer: string): void {
    if (this.#fruitless.steps >= this.#timing.requestAttempts) return;
    this.plan(peer, this.#fruitless.next(), "behind");
  }

  /**
   * The beginning of a large difference has come from `peer`, for who held what has the digest `to`. Asks for the rest.
   *
   * @returns whether it was waited for, and has brought something
   */
  beginningCame(peer: string, gained: boolean, to: Uint8Array): boolean {
    const isAnswer = this.underWay && equalBytes(to, this.#askedAs);
    // Another peer's answer, or one that came twice: what is being asked for goes on.
    if (this.underWay && !isAnswer) return false;
    if (!gained && !isAnswer) return false;
    this.#answerBy = undefined;
    this.dropPlanFor(peer);
    if (gained) {
      this.#asking.reset();
      this.#ask(peer, "beginning");
    } else if (this.#asked === "beginning") {
      // Held already, behind a hole, where no state vector can say so: it would be sent again and again.
      this.#ask(peer, "whole");
    } else {
      this.inVain(peer);
      return false;
    }
    this.#collecting = peer;
    return gained;
  }

  /** A peer can be heard: what was asked into the void is asked again soon, not when the backoff ends. */
  noteLife(): void {
    const { requestTimeout } = this.#timing;
    if (this.#unheard) {
      this.#unheard = false;
      this.plan(EVERYONE, this.#host.random() * requestTimeout, "behind");
    } else if (this.#answerBy !== undefined && this.#asking.steps > 1) {
      const soon = this.#host.now() + this.#host.random() * requestTimeout;
      this.#answerBy = earlier(this.#answerBy, soon);
    }
  }

  tick(now: number): void {
    if (this.#answerBy !== undefined && this.#answerBy <= now) this.#unanswered();
    const planned = this.#planned;
    if (this.underWay || planned === undefined || planned.at > now) return;
    this.#planned = undefined;
    this.#ask(planned.to, "beginning");
  }

  #ask(to: Addressee, amount: "beginning" | "whole"): void {
    if (!this.#host.isUp()) return;
    this.#collecting = undefined;
    const { requestTimeout } = this.#timing;
    this.#asked = amount;
    const { stateVector, digest } = this.#document.withStaged();
    this.#askedAs = digest;
    this.#answerBy =
      this.#host.now() + this.#asking.next() + this.#host.random() * (requestTimeout / 4);
    const state = [encodeSyncStep1(stateVector), digest];
    // A third frame says that the whole difference is wanted in one reply.
    this.#host.send(amount === "whole" ? [...state, EMPTY] : state, to);
  }

  #unanswered(): void {
    this.#answerBy = undefined;
    if (this.#asking.steps >= this.#timing.requestAttempts) {
      // Nobody is there, or nobody who can answer: the next sign of life starts over.
      this.#asking.reset();
      this.#unheard = true;
      this.#host.unheard();
      return;
    }
    this.plan(EVERYONE, 0, "behind");
  }
}
