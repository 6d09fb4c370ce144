import { ByteReader, TruncatedError } from "./byte-reader.ts";

/** How many operations of each client a replica holds without a hole, by Yjs client id. */
export type StateVector = ReadonlyMap<number, number>;

/** Reads Yjs's encoding of a state vector; `undefined` when it is none. Never throws. */
export function decodeStateVector(bytes: Uint8Array): StateVector | undefined {
  try {
    const reader = new ByteReader(bytes);
    const count = reader.varUint();
    const stateVector = new Map<number, number>();
    for (let i = 0; i < count; i++) stateVector.set(reader.varUint(), reader.varUint());
    return stateVector;
  } catch (error) {
    if (error instanceof TruncatedError) return undefined;
    throw error;
  }
}

/** Whether `a` holds an operation that `b` lacks. */
export function isAhead(a: StateVector, b: StateVector): boolean {
  for (const [client, clock] of a) {
    if (clock > (b.get(client) ?? 0)) return true;
  }
  return false;
}
