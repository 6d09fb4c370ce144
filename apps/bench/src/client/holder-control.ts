import type { ProtocolName } from "./client-protocol.ts";

/** What the bench asks a holder of idle clients. */
export type HolderQuestion =
  | {
      readonly type: "open";
      readonly url: string;
      readonly protocol: ProtocolName;
      readonly documents: readonly string[];
      /** How many connect at once. */
      readonly connecting: number;
      readonly awareness: boolean;
    }
  | { readonly type: "count" }
  | { readonly type: "close" };

export type HolderAnswer =
  | { readonly type: "ready" }
  | { readonly type: "open"; readonly failed: number }
  /** How many of the clients are still connected. */
  | { readonly type: "count"; readonly connected: number };
