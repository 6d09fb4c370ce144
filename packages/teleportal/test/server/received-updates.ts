import type { ReceivedFrame } from "./raw-client.ts";

/** The updates that a client has been sent, those of its downloads among them. */
export function receivedUpdates(received: readonly ReceivedFrame[]): Uint8Array[] {
  return received.flatMap(({ read }) =>
    read.type === "update" || read.type === "sync-step-2" ? [read.update] : [],
  );
}
