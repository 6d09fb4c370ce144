import type { PeerMessage, PeerMessageKind } from "@teleportal/sync-core";
import type { Fault } from "./fault.ts";
import type { Mutation } from "./mutation.ts";
import { createRandom } from "./random.ts";
import type { Random } from "./random.ts";
import type { Scenario } from "./scenario.ts";
import { createSimulatedBroker } from "./simulated-broker.ts";
import type { BrokerRule } from "./simulated-broker.ts";
import { createSimulatedClient } from "./simulated-client.ts";
import type { SimulatedClient } from "./simulated-client.ts";
import { startSimulatedInstance } from "./simulated-instance.ts";
import type { SimulatedInstance } from "./simulated-instance.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import { createWitness } from "./witness.ts";
import type { Witness } from "./witness.ts";

/**
 * By kind; a `beginning` is a reply that carries a part of what is missing, and the rest of it is to be asked for. `whole`
 * are those requests that want all in one reply; they count as requests too.
 */
export type MessageCounts = ReadonlyMap<PeerMessageKind | "beginning" | "whole", number>;

/** A scenario under way. */
export interface SimulatedWorld {
  readonly witness: Witness;
  readonly instances: readonly SimulatedInstance[];
  readonly clients: readonly SimulatedClient[];
  /** How many messages of each kind were sent so far. */
  readonly sent: MessageCounts;
  /** When a client's update was last accepted by an instance. */
  readonly acceptedAt: number;
}

interface Place {
  readonly name: string;
  life: SimulatedInstance | undefined;
  /** What the storage holds. */
  stored: Uint8Array[];
  id: string;
  boots: number;
}

/** Later than any boot of the same place before: as milliseconds since 1970 are. */
const FIRST_EPOCH = 1_700_000_000_000;

export function createSimulatedWorld(
  scenario: Scenario,
  clock: VirtualClock,
  trace: Trace,
  mutation: Mutation,
): SimulatedWorld {
  const random = createRandom(scenario.seed ^ 0x2545f491);
  const broker = createSimulatedBroker(clock, random.fork(), trace, scenario.broker);
  const witness = createWitness();
  const sent = new Map<PeerMessageKind | "beginning" | "whole", number>();
  const clients: SimulatedClient[] = [];
  let acceptedAt = 0;

  const places = Array.from({ length: scenario.places }, (_, index): Place => ({
    name: `place-${index}`,
    life: undefined,
    stored: [],
    id: createId(random),
    boots: 0,
  }));

  function placeOf(index: number): Place {
    const place = places[index];
    if (place === undefined) throw new Error(`there is no place ${index}`);
    return place;
  }

  function boot(place: Place): void {
    if (place.life !== undefined) return;
    place.boots += 1;
    trace.note(place.name, "boot", place.boots, () => `as ${place.id.slice(-4)}`);
    const life = startSimulatedInstance(
      {
        place: place.name,
        id: place.id,
        epoch: FIRST_EPOCH + Math.floor(clock.now) + place.boots,
        stored: place.stored,
        offlineBytes: scenario.offlineBytes,
        pieceSize: scenario.pieceSize,
        transport: scenario.transport,
        mutation,
      },
      {
        clock,
        random: random.fork(),
        trace,
        broker,
        added(update, by) {
          place.stored.push(update);
          if (by === "peer") return;
          acceptedAt = clock.now;
          witness.accepted(update);
        },
        sent(message: PeerMessage) {
          const kind = isBeginning(message) ? "beginning" : message.kind;
          sent.set(kind, (sent.get(kind) ?? 0) + 1);
          if (kind !== "request" || message.frames.length < 3) return;
          sent.set("whole", (sent.get("whole") ?? 0) + 1);
        },
      },
    );
    place.life = life;
  }

  function endLife(place: Place, fault: Fault & { kind: "crash" | "drain" }): void {
    const { life } = place;
    if (life === undefined) return;
    place.life = undefined;
    if (fault.storage !== "kept") witness.endangered(life.history);
    if (fault.storage === "empty") place.stored = [];
    if (fault.storage === "stale") place.stored = place.stored.slice(0, -random.integer(1, 5));
    if (fault.kind === "crash") life.crash();
    else life.drain();
    if (fault.identity === "new") place.id = createId(random);
    if (fault.goneAfter === undefined) return;
    clock.at(clock.now + fault.goneAfter, () => {
      for (const other of places) {
        if (other !== place) broker.signal(other.name, { kind: "gone", sender: life.id });
      }
    });
  }

  function schedule(fault: Fault): void {
    switch (fault.kind) {
      case "loss":
      case "duplicates":
      case "delay":
        clock.at(fault.at, () => clock.at(fault.until, broker.impose(ruleOf(fault))));
        return;
      case "overflow": {
        const { name } = placeOf(fault.place);
        const rule = fault.direction === "in" ? { to: name, drop: 0.7 } : { from: name, drop: 1 };
        clock.at(fault.at, () => {
          const end = broker.impose(rule);
          clock.at(fault.until, () => {
            end();
            broker.signal(name, { kind: "lost", direction: fault.direction });
          });
        });
        return;
      }
      case "cut":
        cut(placeOf(fault.place), fault.at, fault.until);
        return;
      case "outage":
        for (const place of places) {
          // Each notices in its own time, and none after the end.
          const late = Math.min(300, (fault.until - fault.at) / 2);
          cut(place, fault.at + random.between(0, late), fault.until - random.between(0, late));
        }
        return;
      case "dark":
        clock.at(fault.at, () => {
          const end = broker.darken(placeOf(fault.place).name, fault.direction);
          clock.at(fault.noticed, end);
        });
        cut(placeOf(fault.place), fault.noticed, fault.until);
        return;
      case "pause":
        clock.at(fault.at, () => {
          const { life } = placeOf(fault.place);
          life?.pause();
          clock.at(fault.until, () => life?.resume());
        });
        return;
      case "crash":
      case "drain":
        clock.at(fault.at, () => endLife(placeOf(fault.place), fault));
        clock.at(fault.until, () => boot(placeOf(fault.place)));
        return;
      case "late-start":
        clock.at(fault.until, () => boot(placeOf(fault.place)));
    }
  }

  function ruleOf(fault: Fault & { kind: "loss" | "duplicates" | "delay" }): BrokerRule {
    if (fault.kind === "duplicates") return { duplicate: fault.probability };
    const to = fault.to === undefined ? {} : { to: placeOf(fault.to).name };
    if (fault.kind === "delay") return { delay: fault.most, reorder: fault.reorder, ...to };
    const from = fault.from === undefined ? {} : { from: placeOf(fault.from).name };
    return { drop: fault.probability, ...from, ...to };
  }

  function cut(place: Place, at: number, until: number): void {
    clock.at(at, () => {
      trace.note(place.name, "cut", 0);
      broker.cut(place.name);
      clock.at(until, () => {
        trace.note(place.name, "raise", 0);
        broker.raise(place.name);
      });
    });
  }

  function choose(by: Random): SimulatedInstance | undefined {
    const living = places.flatMap(({ life }) => life ?? []);
    const [first, ...others] = living;
    return first === undefined ? undefined : by.pick([first, ...others]);
  }

  for (const fault of scenario.faults) schedule(fault);
  const late = new Set(
    scenario.faults.flatMap((fault) => (fault.kind === "late-start" ? fault.place : [])),
  );
  for (const [index, place] of places.entries()) {
    if (late.has(index)) continue;
    clock.at(random.between(0, 100), () => boot(place));
  }
  for (const { at, place } of scenario.compactions) {
    clock.at(at, () => placeOf(place).life?.compact());
  }
  for (const [index, plan] of scenario.clients.entries()) {
    const clientRandom = random.fork();
    const client = createSimulatedClient(
      `client-${index}`,
      random.integer(1, 0xffff_ffff),
      plan.deleting,
      {
        clock,
        random: clientRandom,
        trace,
        choose,
        wrote: (update) => witness.wrote(update),
      },
    );
    clients.push(client);
    clock.at(plan.joins, () => client.connect());
    for (const at of plan.edits) clock.at(at, () => client.edit());
    for (const { at, until } of plan.moves) {
      clock.at(at, () => client.disconnect());
      clock.at(until, () => client.connect());
    }
    if (plan.quits !== undefined) clock.at(plan.quits, () => client.quit());
  }

  return {
    witness,
    get instances() {
      return places.flatMap(({ life }) => life ?? []);
    },
    clients,
    sent,
    get acceptedAt() {
      return acceptedAt;
    },
  };
}

function createId(random: Random): string {
  let id = "";
  while (id.length < 16) id += random.integer(0, 15).toString(16);
  return id;
}

function isBeginning({ kind, frames: [stateVector, digest] }: PeerMessage): boolean {
  return kind === "reply" && stateVector?.length !== 0 && digest?.length === 0;
}
