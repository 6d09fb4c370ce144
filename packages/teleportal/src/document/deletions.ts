import { ByteWriter } from "@teleportal/sync-core";
import type { ClientRanges } from "@teleportal/sync-core";

/** Writes what is deleted as the end of an update in Yjs's V1 format. */
export function writeDeletions(writer: ByteWriter, clients: ClientRanges): void {
  writer.varUint(clients.size);
  for (const [client, ranges] of clients) {
    writer.varUint(client);
    writer.varUint(ranges.length / 2);
    for (let i = 0; i < ranges.length; i += 2) {
      const start = ranges[i] ?? 0;
      writer.varUint(start);
      writer.varUint((ranges[i + 1] ?? start) - start);
    }
  }
}

/** An update without operations, only deletions. */
export function encodeDeletions(clients: ClientRanges): Uint8Array {
  const writer = new ByteWriter();
  writer.varUint(0);
  writeDeletions(writer, clients);
  return writer.finish();
}
