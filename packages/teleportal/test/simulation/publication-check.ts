import type { PeerMessage } from "@teleportal/sync-core";
import { InvariantBroken } from "./invariant-broken.ts";

/** Watches one life of an instance: what its clients typed goes out once, in one message a turn, and nothing else does. */
export interface PublicationCheck {
  /** A client's frame is handed to the replica. */
  typed(frame: Uint8Array): void;
  /** The replica is asked to send what the turn has collected, or told of a change of the link. */
  turn(run: () => void): void;
  link(state: "up" | "down"): void;
  sent(message: PeerMessage): void;
}

export function createPublicationCheck(place: string, offlineBytes: number): PublicationCheck {
  const unpublished = new Set<Uint8Array>();
  /** What came in the turn in which the link went down was taken while it was up. */
  let allowance = 0;
  let up = true;
  let messages = 0;

  function bytesOf(frames: Iterable<Uint8Array>): number {
    let bytes = 0;
    for (const frame of frames) bytes += frame.length;
    return bytes;
  }

  return {
    typed: (frame) => void unpublished.add(frame),
    turn(run) {
      messages = 0;
      run();
      if (up && unpublished.size > 0) {
        throw new InvariantBroken(
          "one edit, one message",
          `${place} is up and has kept ${unpublished.size} frames of this turn to itself`,
        );
      }
    },
    link(state) {
      if (state === "down") {
        if (up) allowance = bytesOf(unpublished);
      } else if (!up) {
        const overflow = bytesOf(unpublished);
        if (overflow > 0 && overflow <= offlineBytes) {
          throw new InvariantBroken(
            "one edit, one message",
            `${place} has dropped ${overflow} bytes that fit into its offline queue`,
          );
        }
        unpublished.clear();
      }
      up = state === "up";
    },
    sent(message) {
      if (message.kind !== "update") return;
      messages += 1;
      if (messages > 1) {
        throw new InvariantBroken("one edit, one message", `${place} sends a turn in two messages`);
      }
      if (!up && bytesOf(message.frames) > offlineBytes + allowance) {
        throw new InvariantBroken(
          "the offline queue is bounded",
          `${place} has kept ${bytesOf(message.frames)} bytes while its link was down`,
        );
      }
      for (const frame of message.frames) {
        if (unpublished.delete(frame)) continue;
        throw new InvariantBroken(
          "one edit, one message",
          `${place} publishes a frame that no client of it has sent in this turn`,
        );
      }
    },
  };
}
