import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as sync from "y-protocols/sync";
import * as Y from "yjs";
import {
  decodeClientFrame,
  encodeSyncStep1,
  encodeSyncStep2,
  encodeUpdateFrame,
} from "../../src/wire/client-frame.ts";
import { decodeStateVector } from "../../src/wire/state-vector.ts";

function yProtocols(write: (encoder: encoding.Encoder) => void): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 0);
    write(encoder);
  });
}

describe("a client frame", () => {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, "hello");
  const update = Y.encodeStateAsUpdate(doc);

  it("is written exactly as y-protocols writes it", () => {
    expect(encodeSyncStep1(Y.encodeStateVector(doc))).toEqual(
      yProtocols((encoder) => sync.writeSyncStep1(encoder, doc)),
    );
    expect(encodeSyncStep2(update)).toEqual(
      yProtocols((encoder) => sync.writeSyncStep2(encoder, doc)),
    );
    expect(encodeUpdateFrame(update)).toEqual(
      yProtocols((encoder) => sync.writeUpdate(encoder, update)),
    );
  });

  it("is read by y-protocols as what it is", () => {
    const copy = new Y.Doc();
    const decoder = decoding.createDecoder(encodeUpdateFrame(update));
    decoding.readVarUint(decoder);
    sync.readSyncMessage(decoder, encoding.createEncoder(), copy, null);
    expect(copy.getText("text").toString()).toBe("hello");
  });

  it("gives back what was put in", () => {
    expect(decodeClientFrame(encodeUpdateFrame(update))).toEqual({ type: "update", update });
    expect(decodeClientFrame(encodeSyncStep2(update))).toEqual({ type: "sync-step-2", update });
  });

  it("of garbage never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(decodeClientFrame(bytes)).toHaveProperty("type");
        decodeStateVector(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it("cut short is malformed", () => {
    const frame = encodeUpdateFrame(update);
    for (let length = 0; length < frame.length; length++) {
      expect(decodeClientFrame(frame.subarray(0, length))).toEqual({ type: "malformed" });
    }
  });
});
