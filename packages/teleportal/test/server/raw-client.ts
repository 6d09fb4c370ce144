import {
  ByteReader,
  decodeClientFrame,
  encodeAwarenessFrame,
  encodeSyncStep1,
} from "@teleportal/sync-core";
import type { ClientFrame } from "@teleportal/sync-core";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";

export interface ReceivedFrame {
  readonly bytes: Uint8Array;
  readonly read: ClientFrame;
}

/** A WebSocket that sends what a good client never would. */
export interface RawClient {
  readonly socket: WebSocket;
  /** Every frame so far. */
  readonly received: readonly ReceivedFrame[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(frame: Uint8Array): void;
  /** Resolves with the first frame of that type, also if it has come before. */
  first(type: ClientFrame["type"]): Promise<Uint8Array>;
  /** Resolves once the server has answered what comes after everything sent so far. */
  fence(): Promise<void>;
}

export async function connectRaw(url: string, documentId: string): Promise<RawClient> {
  const socket = new WebSocket(`${url}/${documentId}`);
  const received: ReceivedFrame[] = [];
  const looks = new Set<() => void>();
  onTestFinished(() => socket.terminate());
  socket.on("message", (data: Buffer) => {
    const bytes = new Uint8Array(data);
    received.push({ bytes, read: decodeClientFrame(bytes) });
    for (const look of looks) look();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });

  function until(type: ClientFrame["type"], from: number): Promise<Uint8Array> {
    return new Promise((resolve) => {
      function look(): void {
        const found = received.slice(from).find(({ read }) => read.type === type);
        if (found === undefined) return;
        looks.delete(look);
        resolve(found.bytes);
      }
      looks.add(look);
      look();
    });
  }

  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => {});
  return {
    socket,
    received,
    closed,
    send: (frame) => socket.send(frame),
    first: (type) => until(type, 0),
    async fence() {
      const answered = until("sync-step-2", received.length);
      socket.send(encodeSyncStep1(new Uint8Array([0])));
      await answered;
    },
  };
}

/** The text of an auth frame, as y-protocols' `readAuthMessage` reads it. */
export function deniedReason(frame: Uint8Array): string {
  const reader = new ByteReader(frame);
  if (reader.varUint() !== 2 || reader.varUint() !== 0)
    throw new Error("no permission-denied frame");
  return new TextDecoder().decode(reader.varBytes());
}

/** Presence of one client as it would send it. */
export function presenceFrame(client: number, clock: number, state: unknown): Uint8Array {
  return encodeAwarenessFrame(new Uint8Array([1, ...presenceState(client, clock, state)]));
}

/** One client's state, as it stands in an awareness update. */
export function presenceState(client: number, clock: number, state: unknown): number[] {
  const json = new TextEncoder().encode(JSON.stringify(state));
  return [...varUint(client), ...varUint(clock), ...varUint(json.length), ...json];
}

function varUint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varUint(Math.floor(value / 128))];
}
