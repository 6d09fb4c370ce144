import * as Y from "yjs";
import { decodeTextUpdate } from "./text-update.ts";

/** Which operations an update carries, and which it deletes; `[client, start, end)` each. */
export interface DecodedUpdate {
  readonly structs: readonly OperationRange[];
  readonly deletions: readonly OperationRange[];
}

export type OperationRange = readonly [client: number, start: number, end: number];

/** The bytes are no Yjs update. */
export class MalformedUpdateError extends Error {
  override readonly name = "MalformedUpdateError";
}

/**
 * Reads a Yjs update (V1) without building a document. All but plain typing with Yjs's own decoder: what passes here is
 * decoded by every client, and what any of them would choke on is refused.
 *
 * @throws MalformedUpdateError
 */
export function decodeUpdate(update: Uint8Array): DecodedUpdate {
  return decodeTextUpdate(update) ?? decodeByYjs(update);
}

/** @throws MalformedUpdateError */
export function decodeByYjs(update: Uint8Array): DecodedUpdate {
  let decoded: ReturnType<typeof Y.decodeUpdate>;
  try {
    decoded = Y.decodeUpdate(update);
  } catch (cause) {
    throw new MalformedUpdateError("not a Yjs update", { cause });
  }
  const structs: OperationRange[] = [];
  for (const struct of decoded.structs) {
    if (struct instanceof Y.Skip) continue;
    if (!isApplicable(struct)) throw new MalformedUpdateError("a struct that Yjs cannot apply");
    structs.push([struct.id.client, struct.id.clock, struct.id.clock + struct.length]);
  }
  const deletions: OperationRange[] = [];
  for (const [client, items] of decoded.ds.clients) {
    for (const { clock, len } of items) {
      if (len === 0 || !Number.isSafeInteger(clock + len) || !Number.isSafeInteger(client)) {
        throw new MalformedUpdateError("a deletion that Yjs cannot apply");
      }
      deletions.push([client, clock, clock + len]);
    }
  }
  return { structs, deletions };
}

/** Yjs takes for granted that an operation is not empty, and that those it refers to by its own client come before. */
function isApplicable(struct: Y.Item | Y.GC): boolean {
  if (struct.length === 0 || !isExact(struct.id)) return false;
  if (!Number.isSafeInteger(struct.id.clock + struct.length)) return false;
  if (struct instanceof Y.GC) return true;
  const { id, origin, rightOrigin } = struct;
  const parent = struct.parent instanceof Y.ID ? struct.parent : null;
  return [origin, rightOrigin, parent].every(
    (other) =>
      other === null || (isExact(other) && (other.client !== id.client || other.clock < id.clock)),
  );
}

/** Whether both numbers are ones that JavaScript holds exactly: lib0 also reads larger ones, and other readers refuse them. */
function isExact({ client, clock }: Y.ID): boolean {
  return Number.isSafeInteger(client) && Number.isSafeInteger(clock);
}
