import { isIP } from "node:net";
import type { Server } from "@nats-io/transport-node";

/** A server of the cluster that is told of by another one; some of what nats.js says of each. */
export type KnownServer = Pick<Server, "listen" | "tlsName" | "gossiped">;

export interface ServerPool {
  /** In the order they are to be tried. */
  readonly inTurn: readonly string[];
  /** The name that the certificate of a server is for, if that cannot be told from its address. */
  tlsNameOf(server: string): string | undefined;
  /** The connection to a server is lost: it is the last one to be tried. `known` are those that it has told of. */
  lost(server: string, known: readonly KnownServer[]): void;
}

/** The configured servers and those that the cluster tells of, in the order given or, by default, in any. */
export function createServerPool(configured: readonly string[], keepOrder: boolean): ServerPool {
  let inTurn = keepOrder ? [...configured] : shuffled(configured);
  let tlsName = "";
  return {
    get inTurn() {
      return inTurn;
    },
    tlsNameOf(server) {
      if (tlsName === "" || configured.includes(server) || !isAddress(server)) return undefined;
      return tlsName;
    },
    lost(server, known) {
      const listed = new Set(known.map(({ listen }) => listen));
      const told = known.filter(({ gossiped, listen }) => gossiped && !inTurn.includes(listen));
      // Known only while it is connected by its name, and the same for the whole cluster.
      tlsName = known.find((each) => each.tlsName !== "")?.tlsName ?? tlsName;
      const names = told.map(({ listen }) => listen);
      inTurn = [
        ...inTurn.filter(
          (each) => each !== server && (listed.has(each) || configured.includes(each)),
        ),
        ...(keepOrder ? names : shuffled(names)),
        server,
      ];
    },
  };
}

/** Whether it is an IP address and a port. A name is that of the certificate. */
function isAddress(server: string): boolean {
  return isIP(server.replace(/:\d+$/, "").replace(/^\[|\]$/g, "")) !== 0;
}

function shuffled(servers: readonly string[]): string[] {
  const places = servers.map((server) => ({ server, at: Math.random() }));
  return places.sort((a, b) => a.at - b.at).map(({ server }) => server);
}
