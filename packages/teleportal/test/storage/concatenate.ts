/** All bytes in one. No Yjs update: storages do not look into what they keep. */
export function concatenate(updates: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(updates.flatMap((update) => [...update]));
}

/** The same, as what `compact` is given. */
export async function concatenated(updates: readonly Uint8Array[]): Promise<Uint8Array[]> {
  return [concatenate(updates)];
}
