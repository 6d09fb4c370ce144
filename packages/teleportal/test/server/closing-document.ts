import { expect, onTestFinished, vi } from "vitest";
import type { GatedStorage } from "./gated-storage.ts";
import { connectRaw } from "./raw-client.ts";
import { updateOf } from "./update-of.ts";

/** How many characters `holdClosing` stores: of so many updates the stored form is compacted at the close. */
export const CLOSING_LENGTH = 70;

/**
 * Has the server at `url` open the document and close it again: it is being closed until the returned function is called, or the
 * test is over.
 */
export async function holdClosing(
  storage: GatedStorage,
  url: string,
  documentId: string,
): Promise<() => void> {
  for (let i = 0; i < CLOSING_LENGTH; i++) await storage.append(documentId, [updateOf("x")]);
  const client = await connectRaw(url, documentId);
  await client.fence();
  const release = storage.hold("compact");
  onTestFinished(release);
  client.socket.close();
  await vi.waitFor(() => expect(storage.count("compact")).toBe(1));
  return release;
}
