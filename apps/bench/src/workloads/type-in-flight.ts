import { sendNext } from "./typed-document.ts";
import type { TypedDocument } from "./typed-document.ts";

/** A reader that has heard nothing new for so long has lost it, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Types up to keystroke `until`, at most `window` of them on their way to any reader; resolves when every reader has
 * all of them, or will not get them.
 */
export function typeInFlight(typed: TypedDocument, window: number, until: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout>;
    const end = (): void => {
      clearTimeout(timer);
      typed.onArrival = () => {};
      resolve();
    };
    const goOn = (): void => {
      clearTimeout(timer);
      if (typed.arrived >= until) {
        end();
        return;
      }
      timer = setTimeout(end, PATIENCE);
      try {
        while (typed.sent < until && typed.sent - typed.arrived < window) sendNext(typed);
      } catch (error) {
        end();
        reject(error);
      }
    };
    typed.onArrival = goOn;
    goOn();
  });
}

export async function typeAllInFlight(
  documents: readonly TypedDocument[],
  window: number,
  count: number,
): Promise<void> {
  await Promise.all(documents.map((typed) => typeInFlight(typed, window, typed.sent + count)));
}
