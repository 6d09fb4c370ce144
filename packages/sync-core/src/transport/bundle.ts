import type { PeerMessage } from "../contract/message.ts";
import { encodeEnvelope } from "../wire/envelope.ts";
import { afterTurn } from "./turn.ts";

/** The most bytes in one bundle, so that nothing waits long behind it at the broker. */
const MAX_BUNDLE = 64 * 1024;

/**
 * What many documents say in one turn of the event loop, as few messages on the channel that the instances share: with
 * ten thousand quiet documents each renewing the presence of its clients, one each would be all that a broker does.
 */
export interface Bundler {
  /** False, and nothing is taken, if it is too large to go with others. */
  put(documentId: string, message: PeerMessage): boolean;
}

/** A bundle's frames are pairs: a document's id, and an envelope for it. */
export function createBundler(
  maxPayload: () => number,
  publish: (frames: readonly Uint8Array[]) => void,
): Bundler {
  const encoder = new TextEncoder();
  let frames: Uint8Array[] = [];
  let bytes = 0;
  let due = false;

  function flush(): void {
    const full = frames;
    frames = [];
    bytes = 0;
    if (full.length > 0) publish(full);
  }

  return {
    put(documentId, message) {
      const pair = [encoder.encode(documentId), encodeEnvelope(message, [message])];
      const size = pair.reduce((sum, { length }) => sum + length, 0);
      const limit = Math.min(MAX_BUNDLE, maxPayload() / 2);
      if (size > limit) return false;
      if (bytes + size > limit) flush();
      frames.push(...pair);
      bytes += size;
      if (!due) {
        due = true;
        afterTurn(() => {
          due = false;
          flush();
        });
      }
      return true;
    },
  };
}

/** Calls `deliver` for each pair of a bundle's frames. */
export function openBundle(
  frames: readonly Uint8Array[],
  deliver: (documentId: string, envelope: Uint8Array) => void,
): void {
  const decoder = new TextDecoder();
  for (let i = 0; i + 1 < frames.length; i += 2) {
    const [id, envelope] = [frames[i], frames[i + 1]];
    if (id !== undefined && envelope !== undefined) deliver(decoder.decode(id), envelope);
  }
}
