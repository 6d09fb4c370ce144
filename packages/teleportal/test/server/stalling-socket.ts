import type { ClientSocket } from "teleportal";

/** A client's socket that takes nothing off its buffer until told to. */
export interface StallingSocket extends ClientSocket {
  readonly sent: readonly Uint8Array[];
  readonly closedWith: { readonly code: number; readonly reason: string } | undefined;
  /** The client reads everything that waits. */
  drain(): void;
}

export function createStallingSocket(): StallingSocket {
  const sent: Uint8Array[] = [];
  let buffered = 0;
  let closedWith: StallingSocket["closedWith"];
  return {
    sent,
    get closedWith() {
      return closedWith;
    },
    get bufferedAmount() {
      return buffered;
    },
    send(frame) {
      sent.push(frame);
      buffered += frame.length;
    },
    close(code, reason) {
      closedWith ??= { code, reason };
    },
    drain() {
      buffered = 0;
    },
  };
}
