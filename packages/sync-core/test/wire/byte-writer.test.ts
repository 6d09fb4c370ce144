import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "@teleportal/sync-core";

const chunks = fc.array(
  fc.oneof(fc.uint8Array(), fc.uint8Array({ minLength: 4000, maxLength: 9000 })),
  {
    maxLength: 5,
  },
);

test("what is written is read again, whatever other writers do at the same time and afterwards", () => {
  fc.assert(
    fc.property(fc.array(chunks, { minLength: 1, maxLength: 12 }), (texts) => {
      const writers = texts.map((text) => ({ text, writer: new ByteWriter() }));
      for (let i = 0; i < 5; i++) {
        for (const { text, writer } of writers) {
          for (const chunk of text.slice(i, i + 1)) {
            writer.varUint(chunk.length);
            writer.putPart(chunk, 0, chunk.length >> 1);
            writer.put(chunk.subarray(chunk.length >> 1));
          }
        }
      }
      const written = writers.map(({ text, writer }) => ({ text, bytes: writer.finish() }));
      for (const { text } of writers) for (const chunk of text) new ByteWriter().varBytes(chunk);
      for (const { text, bytes } of written) {
        const reader = new ByteReader(bytes);
        expect(text.map(() => reader.varBytes())).toEqual(text);
        expect(reader.remaining).toBe(0);
        // What is kept of it keeps nothing else alive.
        expect(bytes.buffer.byteLength).toBe(bytes.length);
      }
    }),
  );
});

test.each(["finish", "discard"] as const)(
  "a writer that is used after %s changes nothing that others write",
  (end) => {
    const first = new ByteWriter();
    first.uint8(1);
    first[end]();
    first.discard();
    const second = new ByteWriter();
    second.put(Uint8Array.of(2, 2));
    first.uint8(3);
    expect(second.finish()).toEqual(Uint8Array.of(2, 2));
  },
);
