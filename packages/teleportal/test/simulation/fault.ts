import type { Random } from "./random.ts";
import type { Direction } from "./simulated-broker.ts";

/** Something that goes wrong from `at` to `until`, in virtual milliseconds. Places are indices. */
export type Fault = { readonly at: number; readonly until: number } & (
  | {
      readonly kind: "loss";
      readonly probability: number;
      readonly from?: number;
      readonly to?: number;
    }
  | { readonly kind: "duplicates"; readonly probability: number }
  | {
      readonly kind: "delay";
      readonly most: number;
      readonly reorder: boolean;
      readonly to?: number;
    }
  /** A buffer is full; the transport says so when it has room again. */
  | { readonly kind: "overflow"; readonly place: number; readonly direction: "in" | "out" }
  | { readonly kind: "cut"; readonly place: number }
  /** Bytes vanish until a heartbeat misses its deadline at `noticed`; then the link is cut, and comes back. */
  | {
      readonly kind: "dark";
      readonly place: number;
      readonly direction: Direction;
      readonly noticed: number;
    }
  | { readonly kind: "outage" }
  | { readonly kind: "pause"; readonly place: number }
  | {
      readonly kind: "crash" | "drain";
      readonly place: number;
      readonly storage: "kept" | "stale" | "empty";
      readonly identity: "same" | "new";
      /** The others' transports notice that much later. */
      readonly goneAfter?: number;
    }
  | { readonly kind: "late-start"; readonly place: number }
);

type FaultKind = Fault["kind"];

export const FAULT_KINDS: readonly [FaultKind, ...FaultKind[]] = [
  "loss",
  "loss",
  "duplicates",
  "delay",
  "overflow",
  "cut",
  "dark",
  "dark",
  "outage",
  "pause",
  "crash",
  "crash",
  "drain",
];

export function planFault(
  random: Random,
  kind: FaultKind,
  places: number,
  at: number,
  until: number,
): Fault {
  const place = random.integer(0, places - 1);
  const span = { at, until };
  switch (kind) {
    case "loss": {
      const probability = random.pick([0.1, 0.5, 1]);
      const from = random.chance(0.4) ? { from: place } : {};
      const to = random.chance(0.4) ? { to: random.integer(0, places - 1) } : {};
      return { kind, ...span, probability, ...from, ...to };
    }
    case "duplicates":
      return { kind, ...span, probability: random.pick([0.2, 0.9]) };
    case "delay": {
      const to = random.chance(0.5) ? { to: place } : {};
      return {
        kind,
        ...span,
        most: random.pick([30, 300, 1500]),
        reorder: random.chance(0.7),
        ...to,
      };
    }
    case "overflow":
      return { kind, ...span, place, direction: random.pick(["in", "out"]) };
    case "cut":
    case "pause":
      return { kind, ...span, place };
    case "dark": {
      const noticed = random.between(at, until);
      return { kind, ...span, place, direction: random.pick(["in", "out", "both"]), noticed };
    }
    case "outage":
      return { kind, ...span };
    case "crash":
    case "drain": {
      const told = random.chance(0.4) ? { goneAfter: random.between(5, 800) } : {};
      return {
        kind,
        ...span,
        place,
        storage: random.pick(["kept", "stale", "empty"]),
        identity: random.pick(["same", "new"]),
        ...told,
      };
    }
    case "late-start":
      return { kind, at: 0, until, place };
    default:
      return kind satisfies never;
  }
}
