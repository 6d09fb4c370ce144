/**
 * What a message between instances is for.
 *
 * - `update`: what local clients typed; to everyone. The only kind that counts in `seq`.
 * - `awareness`: presence of local clients; to everyone.
 * - `renewal`: presence that has not changed, so that nobody takes it for over; to everyone. A transport MAY carry it
 *   another way than the rest, as it has no place in their order.
 * - `request`: "this is what I hold, send what I lack"; to one peer, or to everyone and one of them answers.
 * - `reply`: the answer; only ever applied by the peer it was computed for.
 * - `digest`: a fingerprint of what the sender holds; to everyone.
 * - `leave`: the sender has closed this document; its presence goes with it.
 * - `heartbeat`: the sender is alive; between transports only, on a channel of their own, and of no document.
 * - `bundle`: messages about many documents, on that same channel.
 * - `roll-call`: "who has these documents open?", on that same channel; `absent`: "I have not", to the one who asks.
 */
export type PeerMessageKind =
  | "update"
  | "awareness"
  | "renewal"
  | "request"
  | "reply"
  | "digest"
  | "leave"
  | "heartbeat"
  | "bundle"
  | "roll-call"
  | "absent";

/** What one instance says to its peers about one document. Plain data: safe to structured-clone. */
export interface PeerMessage<Context = unknown> {
  readonly kind: PeerMessageKind;
  /** Who says it: 16 lower-case hexadecimal digits, unique among the instances of a deployment. */
  readonly sender: string;
  /** Which opening of the document by that sender: milliseconds since 1970, larger each time. */
  readonly epoch: number;
  /**
   * How many `update` messages this sender has sent in this epoch, this one included if it is an `update`.
   * Every kind carries it, so that any later message reveals a lost one.
   */
  readonly seq: number;
  /** The only peer it is meant for. A transport MAY deliver it to others as well; they ignore it. */
  readonly to?: string;
  /**
   * `update`, `awareness`, `renewal`: what local clients sent during one event-loop turn, oldest first, each exactly the
   * frame the client sent (y-protocols: type byte, then payload).
   * `request`: SyncStep1, digest, and an empty frame if all is wanted in one reply. `reply`: SyncStep1 and digest (both
   * empty if it hands back), then SyncStep2 for each update; if it is the beginning of a large difference an empty digest
   * and the one of the request, then the updates. `digest`: digest. `leave`: none. The last two have an empty frame more
   * if the storage that the instances share has all that the sender has sent as `update`.
   */
  readonly frames: readonly Uint8Array[];
  /** The context the factory was made with. Set on delivery; never sent. */
  readonly context?: Context;
}

/**
 * What a transport tells its reader about itself, in its place among the messages. Optional for a hand-written
 * transport: one that says nothing is taken to be up, and losses are then found by sequence and digest.
 *
 * - `up`: the subscription is live (again); anything sent before may have been missed.
 * - `down`: nothing is sent or received until `up`.
 * - `lost`: a message on its way in, or out, was dropped.
 * - `alone`: the broker handed the last `request` to nobody: no other instance has this document open.
 * - `gone`: that peer has died without a `leave`.
 */
export type TransportSignal =
  | { readonly kind: "up" }
  | { readonly kind: "down" }
  | { readonly kind: "lost"; readonly direction: "in" | "out" }
  | { readonly kind: "alone" }
  | { readonly kind: "gone"; readonly sender: string };

/** Everything that travels on a {@link YTransport}. Readers MUST skip kinds they do not know. */
export type Message<Context = unknown> = PeerMessage<Context> | TransportSignal;

/** Tells what was said by a peer from what the transport says of itself. */
export function isPeerMessage<Context>(message: Message<Context>): message is PeerMessage<Context> {
  return "frames" in message;
}
