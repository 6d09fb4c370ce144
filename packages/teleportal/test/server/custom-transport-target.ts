import type { ConformanceTarget } from "@teleportal/sync-core/conformance";
import { BroadcastChannelTransportFactory } from "./broadcast-channel-transport.ts";

/** The transport that the README shows: by hand, without a driver, within one process. */
export const target: ConformanceTarget = {
  name: "BroadcastChannel, by hand",
  openFactory: async ({ keyPrefix, context }) =>
    Object.assign(new BroadcastChannelTransportFactory(context, keyPrefix), {
      capabilities: { recovery: "none" },
    }),
  patience: 2000,
};
