import { describeCause } from "../sync-error.ts";
import type { BrokerFaults, Way } from "./target.ts";

/** What an instance says of its link. */
export type LinkState =
  | { readonly state: "up" }
  | { readonly state: "down"; readonly cause?: unknown };

/**
 * Tells a link that was lost by itself from one that the check has broken. Where messages are delivered at most once, what is on
 * its way then is lost rightfully, and the check has said nothing of the adapter.
 */
export interface LinkLosses {
  /** The same faults; what is lost while they last, and until an instance has come back from them, is theirs. */
  excusing(faults: BrokerFaults): BrokerFaults;
  /** Follows an instance that is `up` already, or not: the returned function is to be called with each thing it says. */
  follow(way: Way, up: boolean): (said: LinkState) => void;
  /** Why the first link was lost that nobody had broken, in words. */
  readonly first: string | undefined;
}

export function createLinkLosses(): LinkLosses {
  let first: string | undefined;
  /** Faults that have begun; and whether the last one still lasts. */
  const broken = { link: 0, broker: 0 };
  let linkBroken = false;
  let brokerBroken = false;

  /** The faults that this way has seen; none while one lasts. */
  function faultsSeen(way: Way): number | undefined {
    if (brokerBroken || (way === "link" && linkBroken)) return undefined;
    return way === "link" ? broken.link + broken.broker : broken.broker;
  }

  return {
    excusing(faults) {
      function breakLink(fault: "cut" | "darken"): () => Promise<void> {
        return () => {
          linkBroken = true;
          broken.link += 1;
          return faults[fault]();
        };
      }

      return {
        cut: breakLink("cut"),
        darken: breakLink("darken"),
        async heal() {
          await faults.heal();
          linkBroken = false;
        },
        async restart() {
          brokerBroken = true;
          broken.broker += 1;
          await faults.restart();
          brokerBroken = false;
        },
      };
    },
    follow(way, up) {
      let upSince = up ? faultsSeen(way) : undefined;
      return (said) => {
        if (said.state === "up") {
          upSince = faultsSeen(way);
          return;
        }
        if (upSince !== undefined && upSince === faultsSeen(way)) {
          first ??= said.cause === undefined ? "no cause was told" : describeCause(said.cause);
        }
        upSince = undefined;
      };
    },
    get first() {
      return first;
    },
  };
}
