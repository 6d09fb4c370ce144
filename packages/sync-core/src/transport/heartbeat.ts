import type { SyncDriver } from "../contract/driver.ts";
import type { PeerMessage } from "../contract/message.ts";
import { decodeEnvelope, encodeEnvelope } from "../wire/envelope.ts";
import { createPeerId, decodePeerId, encodePeerId, PEER_ID_BYTES } from "../wire/peer-id.ts";
import { Subscription } from "./subscription.ts";
import type { HeartbeatTiming } from "./options.ts";

/**
 * Tells an instance's peers that it lives, and itself that its link does.
 *
 * Each factory publishes a heartbeat on a channel that all of a deployment share. One that does not come back through
 * the broker within the deadline reveals a half-open link, which no error ever would. A factory that falls silent is
 * dead, and its clients' presence with it, once its lease has run out. One message per instance and interval, however
 * many documents (leases and graceful goodbyes as in Phoenix.Tracker).
 */
export interface Heartbeat {
  /** The other instances that are alive, as far as is known. */
  readonly peers: readonly string[];
  /** Whether all that are alive have had the time to be heard. */
  readonly knowsPeers: boolean;
  link(up: boolean): void;
  /** A replica of this factory sends as that id: the peers must know whose it is, should this instance die. */
  announce(sender: string): void;
  /** Publishes on the channel that the instances share. Lost without a word while the link is down. */
  publishBundle(frames: readonly Uint8Array[]): void;
  /** The same for a roll call, and the answer to one. */
  publishRollCall(kind: "roll-call" | "absent", frames: readonly Uint8Array[], to?: string): void;
  /** Says goodbye, and ends. */
  close(): Promise<void>;
}

/** Documents cannot have NUL in their ids, so no document has this channel. */
const CHANNEL_SUFFIX = "\0instances";

/** At most so many heartbeats per interval for the sake of new senders: each names all of them. */
const ANNOUNCEMENTS = 10;

interface Peer {
  senders: readonly string[];
  heardAt: number;
}

export function createHeartbeat(
  driver: SyncDriver,
  keyPrefix: string,
  timing: Required<HeartbeatTiming>,
  on: {
    /** Another factory has published a bundle. */
    bundle(frames: readonly Uint8Array[]): void;
    /** Another factory asks which of these documents are not open here. */
    rollCall(sender: string, frames: readonly Uint8Array[]): void;
    /** Another factory does not have these documents open. */
    absent(sender: string, frames: readonly Uint8Array[]): void;
    /** The ids that this factory's replicas send as. */
    senders(): readonly string[];
    /** That sender's instance has died, or said goodbye. */
    gone(sender: string): void;
    /** This process stood still for so long that the peers may have taken it for dead. */
    resumed(): void;
    /** Nothing comes back through the broker. */
    silent(): void;
    /** A message took so many milliseconds to the broker and back. */
    roundTrip(milliseconds: number): void;
    failed(cause: unknown): void;
  },
): Heartbeat {
  const id = createPeerId();
  const header = { sender: id, epoch: Date.now() };
  const channel = keyPrefix + CHANNEL_SUFFIX;
  const peers = new Map<string, Peer>();
  let up = false;
  let seq = 0;
  let unansweredSince: number | undefined;
  let announced = new Set<string>();
  let beatAt = Number.NEGATIVE_INFINITY;
  let announcing: ReturnType<typeof setTimeout> | undefined;
  let tickedAt = performance.now();
  /** Since when heartbeats can be heard. */
  let listeningSince: number | undefined;

  const subscription = new Subscription(driver, channel, {
    receive,
    held() {
      listeningSince = performance.now();
      beat();
    },
    refused: on.failed,
    canSubscribe: () => up,
  });

  function encode(
    kind: "heartbeat" | "leave" | "bundle" | "roll-call" | "absent",
    frames: readonly Uint8Array[],
    to?: string,
  ): Uint8Array {
    const addressee = to === undefined ? {} : { to };
    return encodeEnvelope(header, [{ kind, ...header, seq, frames, ...addressee }]);
  }

  function beat(): void {
    if (!up || !subscription.held) return;
    seq += 1;
    beatAt = performance.now();
    const comesBack = driver.capabilities.echo === "always";
    if (comesBack) unansweredSince ??= beatAt;
    const senders = on.senders();
    announced = new Set(senders);
    const sentAt = beatAt;
    driver.publish(channel, encode("heartbeat", senders.map(encodePeerId))).then(
      // Where it does not come back, the broker's answer to it has gone the same way.
      () => {
        if (!comesBack) on.roundTrip(performance.now() - sentAt);
      },
      // The deadline says it: the link is down, or about to be found silent.
      () => {},
    );
  }

  function receive(bytes: Uint8Array): void {
    const decoded = decodeEnvelope(bytes);
    if (decoded.type !== "messages") return;
    for (const message of decoded.messages) {
      if (message.sender === id) answered();
      else if (message.kind === "heartbeat") hear(message);
      else if (message.kind === "leave") bury(message.sender);
      else if (message.kind === "bundle") on.bundle(message.frames);
      else if (message.kind === "roll-call") on.rollCall(message.sender, message.frames);
      else if (message.kind === "absent" && message.to === id) {
        on.absent(message.sender, message.frames);
      }
    }
  }

  function answered(): void {
    if (unansweredSince === undefined) return;
    on.roundTrip(performance.now() - unansweredSince);
    unansweredSince = undefined;
  }

  function hear({ sender, frames }: PeerMessage): void {
    const isNew = !peers.has(sender);
    const senders = frames.filter(({ length }) => length === PEER_ID_BYTES).map(decodePeerId);
    peers.set(sender, { senders, heardAt: performance.now() });
    // A newcomer need not wait for the next one to know who is there.
    if (isNew) beat();
  }

  function bury(peer: string): void {
    const senders = peers.get(peer)?.senders ?? [];
    peers.delete(peer);
    for (const sender of senders) on.gone(sender);
  }

  function renewAll(now: number): void {
    for (const peer of peers.values()) peer.heardAt = now;
    unansweredSince = undefined;
  }

  function tick(): void {
    const now = performance.now();
    const stoodStill = now - tickedAt > timing.interval + timing.deadline;
    tickedAt = now;
    if (stoodStill) {
      // The peers' heartbeats of that time are still unread: nobody can be called dead.
      renewAll(now);
      on.resumed();
    }
    if (!up) return;
    if (unansweredSince !== undefined && now - unansweredSince > timing.deadline) {
      unansweredSince = undefined;
      on.silent();
      return;
    }
    for (const [peer, { heardAt }] of peers) if (now - heardAt > timing.lease) bury(peer);
    beat();
  }

  const timer = setInterval(tick, timing.interval);
  // It has no use of its own: a process whose work is done may end.
  timer.unref?.();

  return {
    get peers() {
      return [...peers.keys()];
    },
    get knowsPeers() {
      return (
        listeningSince !== undefined && performance.now() - listeningSince > 2 * timing.interval
      );
    },
    link(isUp) {
      up = isUp;
      // Without a link nothing can be heard, so silence says nothing about the peers.
      renewAll(performance.now());
      if (!up) {
        listeningSince = undefined;
        return;
      }
      if (subscription.held) {
        listeningSince = performance.now();
        beat();
      } else void subscription.want(true);
    },
    announce(sender) {
      if (announced.has(sender)) return;
      announced.add(sender);
      if (announcing !== undefined) return;
      const due = beatAt + timing.interval / ANNOUNCEMENTS - performance.now();
      if (due <= 0) {
        beat();
        return;
      }
      announcing = setTimeout(() => {
        announcing = undefined;
        beat();
      }, due);
      announcing.unref?.();
    },
    publishBundle(frames) {
      if (!up || !subscription.held) return;
      // A renewal that is lost is followed by the next.
      driver.publish(channel, encode("bundle", frames)).catch(() => {});
    },
    publishRollCall(kind, frames, to) {
      if (!up || !subscription.held) return;
      // Who is not answered waits no longer than without.
      driver.publish(channel, encode(kind, frames, to)).catch(() => {});
    },
    async close() {
      clearInterval(timer);
      clearTimeout(announcing);
      if (up && subscription.held)
        await driver.publish(channel, encode("leave", [])).catch(() => {});
      await subscription.want(false);
    },
  };
}
