import type { RawClient } from "./raw-client.ts";

/** `taken`: the server has handled the frame, and the connection stays. */
export type Outcome = "taken" | { readonly code: number; readonly reason: string };

/** Sends the frame, and resolves with what has come of it. */
export function outcomeOf(client: RawClient, frame: Uint8Array): Promise<Outcome> {
  client.send(frame);
  return Promise.race([client.closed, client.fence().then(() => "taken" as const)]);
}
