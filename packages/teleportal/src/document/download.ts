import { encodeSyncStep2, encodeUpdateFrame } from "@teleportal/sync-core";
import type { History } from "./history.ts";

const NO_FRAME = new Uint8Array();

/** All frames of a download, by the last of them: sockets hold that one until they have sent it. */
const BY_LAST_FRAME = new WeakMap<Uint8Array, readonly Uint8Array[]>();

/** What clients are sent that ask for a document. A crowd that holds nothing shares the frames, for as long as they are sent. */
export class Download {
  readonly #history: History;
  #lastFrame: WeakRef<Uint8Array> | undefined;

  constructor(history: History) {
    this.#history = history;
  }

  /** The document has changed. */
  outdated(): void {
    this.#lastFrame = undefined;
  }

  /** The frames that take a holder of `stateVector` here. */
  frames(stateVector: Uint8Array): readonly Uint8Array[] {
    // Byte 0 is the number of clients.
    if (stateVector[0] !== 0) return this.#make(stateVector);
    const lastFrame = this.#lastFrame?.deref();
    const made = lastFrame && BY_LAST_FRAME.get(lastFrame);
    if (made !== undefined) return made;
    const frames = this.#make(stateVector);
    const last = frames.at(-1) ?? NO_FRAME;
    BY_LAST_FRAME.set(last, frames);
    this.#lastFrame = new WeakRef(last);
    return frames;
  }

  #make(stateVector: Uint8Array): readonly Uint8Array[] {
    const updates = this.#history.download(stateVector);
    // SyncStep2 comes last: applications take it for "all is there" and may fill a document they find empty.
    return updates.map((update, index) =>
      index === updates.length - 1 ? encodeSyncStep2(update) : encodeUpdateFrame(update),
    );
  }
}
