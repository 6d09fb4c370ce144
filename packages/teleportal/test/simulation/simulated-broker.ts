import type { TransportSignal } from "@teleportal/sync-core";
import type { Random } from "./random.ts";
import { fingerprint } from "./trace.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** A subscription, as an instance holds it. */
export interface BrokerReceiver {
  bytes(bytes: Uint8Array): void;
  signal(signal: TransportSignal): void;
}

/** What happens to bytes on their way, as long as the rule is in force. Left out: for every sender or receiver. */
export interface BrokerRule {
  readonly from?: string;
  readonly to?: string;
  /** In [0, 1], as is `duplicate`. */
  readonly drop?: number;
  readonly duplicate?: number;
  /** How long bytes are held up at most, in milliseconds. */
  readonly delay?: number;
  /** Bytes held up are overtaken by those behind them. */
  readonly reorder?: boolean;
}

export type Direction = "in" | "out" | "both";

/** One document's channel on a broker, with a link to each place an instance may run at. */
export interface SimulatedBroker {
  subscribe(place: string, receiver: BrokerReceiver): void;
  unsubscribe(place: string, receiver: BrokerReceiver): void;
  /** How many others the bytes were sent to; `undefined` if they never got to the broker. */
  publish(place: string, bytes: Uint8Array): number | undefined;
  /** Whether the instance at that place knows that its link is cut. */
  isDown(place: string): boolean;
  /** Cuts a link and says so. Every call needs a `raise`. */
  cut(place: string): void;
  raise(place: string): void;
  /** Cuts a link, and nobody notices, until the returned function is called. */
  darken(place: string, direction: Direction): () => void;
  /** Puts a rule in force until the returned function is called. */
  impose(rule: BrokerRule): () => void;
  /** Says something to the instance at that place, if there is one. */
  signal(place: string, signal: TransportSignal): void;
}

interface Link {
  receiver: BrokerReceiver | undefined;
  cuts: number;
  darkIn: number;
  darkOut: number;
  /** Per sender when its last bytes arrive: what follows in order is not earlier. */
  readonly arrivals: Map<string, number>;
}

export interface BrokerSettings {
  /** The shortest and the longest way from an instance to another, in milliseconds. */
  readonly latency: readonly [number, number];
  /** Whether a publisher gets its own bytes as well. */
  readonly echo: boolean;
}

export function createSimulatedBroker(
  clock: VirtualClock,
  random: Random,
  trace: Trace,
  settings: BrokerSettings,
): SimulatedBroker {
  const links = new Map<string, Link>();
  const rules = new Set<BrokerRule>();

  function linkOf(place: string): Link {
    let link = links.get(place);
    if (link === undefined) {
      link = { receiver: undefined, cuts: 0, darkIn: 0, darkOut: 0, arrivals: new Map() };
      links.set(place, link);
    }
    return link;
  }

  function deliver(from: string, to: string, link: Link, bytes: Uint8Array): void {
    let delay = random.between(...settings.latency);
    let reorder = false;
    let copies = 1;
    for (const rule of rules) {
      if ((rule.from ?? from) !== from || (rule.to ?? to) !== to) continue;
      if (rule.drop !== undefined && random.chance(rule.drop)) copies = 0;
      if (rule.duplicate !== undefined && copies > 0 && random.chance(rule.duplicate)) copies += 1;
      if (rule.delay !== undefined) delay += random.between(0, rule.delay);
      if (rule.reorder === true) reorder = true;
    }
    if (copies === 0) trace.note(to, "lost", bytes.length, () => `from ${from}`);
    const { receiver } = link;
    for (let copy = 0; copy < copies; copy++) {
      let time = clock.now + delay * (copy + 1);
      if (!reorder) {
        time = Math.max(time, link.arrivals.get(from) ?? 0);
        link.arrivals.set(from, time);
      }
      clock.at(time, () => {
        if (link.cuts > 0 || link.darkIn > 0 || link.receiver !== receiver) {
          trace.note(to, "vanished", bytes.length, () => `from ${from}`);
        } else {
          receiver?.bytes(bytes);
        }
      });
    }
  }

  return {
    subscribe(place, receiver) {
      const link = linkOf(place);
      link.receiver = receiver;
      link.arrivals.clear();
      if (link.cuts === 0) return;
      clock.at(clock.now, () => {
        if (link.cuts > 0 && link.receiver === receiver) receiver.signal({ kind: "down" });
      });
    },
    unsubscribe(place, receiver) {
      const link = linkOf(place);
      if (link.receiver === receiver) link.receiver = undefined;
    },
    publish(place, bytes) {
      const own = linkOf(place);
      trace.note(place, "publish", fingerprint(bytes), () => `${bytes.length} bytes`);
      if (own.cuts > 0 || own.darkOut > 0) {
        trace.note(place, "unsent", bytes.length);
        return undefined;
      }
      let others = 0;
      for (const [to, link] of links) {
        if (link.receiver === undefined || (to === place && !settings.echo)) continue;
        if (to !== place && link.cuts === 0) others += 1;
        deliver(place, to, link, bytes);
      }
      return others;
    },
    isDown: (place) => linkOf(place).cuts > 0,
    cut(place) {
      const link = linkOf(place);
      link.cuts += 1;
      if (link.cuts === 1) link.receiver?.signal({ kind: "down" });
    },
    raise(place) {
      const link = linkOf(place);
      link.cuts -= 1;
      if (link.cuts === 0) link.receiver?.signal({ kind: "up" });
    },
    darken(place, direction) {
      const link = linkOf(place);
      const inwards = direction === "out" ? 0 : 1;
      const outwards = direction === "in" ? 0 : 1;
      link.darkIn += inwards;
      link.darkOut += outwards;
      return () => {
        link.darkIn -= inwards;
        link.darkOut -= outwards;
      };
    },
    impose(rule) {
      rules.add(rule);
      return () => rules.delete(rule);
    },
    signal(place, signal) {
      linkOf(place).receiver?.signal(signal);
    },
  };
}
