import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeEnvelope, encodeEnvelope } from "../../src/wire/envelope.ts";
import type { EnvelopePart } from "../../src/wire/envelope.ts";
import { PartJoiner, MIN_MAX_PAYLOAD, splitEnvelope } from "../../src/wire/parts.ts";

const HEADER = { sender: "0123456789abcdef", epoch: 1_700_000_000_000 };
const MEBIBYTE = 1024 * 1024;

function split(content: Uint8Array, maxPayload: number, id = 1): EnvelopePart[] {
  return splitEnvelope(HEADER, around(content), maxPayload, () => id).map((bytes) => {
    expect(bytes.length).toBeLessThanOrEqual(maxPayload);
    const decoded = decodeEnvelope(bytes);
    if (decoded.type !== "part") throw new Error(`not split: ${decoded.type}`);
    return decoded.part;
  });
}

/** An envelope of that content, whatever it is. */
function around(content: Uint8Array): Uint8Array {
  return Uint8Array.from(Buffer.concat([encodeEnvelope(HEADER, []), content]));
}

function content(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

describe("content above the broker's limit", () => {
  it("is put together again from parts in any order, with any of them twice", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: MIN_MAX_PAYLOAD, max: 1000 }),
        fc.integer({ min: 1, max: 8 }),
        fc.infiniteStream(fc.nat()),
        (maxPayload, times, order) => {
          const whole = content(maxPayload * times);
          const parts = split(whole, maxPayload);
          const shuffled = [...parts, ...parts]
            .map((part) => ({ part, at: order.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ part }) => part);
          const joiner = new PartJoiner(MEBIBYTE);
          const joined = shuffled
            .map((part) => joiner.add(part))
            .find((it) => it.type === "content");
          expect(Buffer.compare(joined?.content ?? new Uint8Array(), whole)).toBe(0);
        },
      ),
    );
  });

  it("is sent whole when it just fits", () => {
    const envelopes = splitEnvelope(HEADER, around(content(100)), 118, () => 1);
    expect(envelopes).toHaveLength(1);
    expect(splitEnvelope(HEADER, around(content(101)), 118, () => 1).length).toBeGreaterThan(1);
  });

  it("that is interleaved with other content is kept apart", () => {
    const first = split(content(1000), MIN_MAX_PAYLOAD, 1);
    const second = split(content(999), MIN_MAX_PAYLOAD, 2);
    const joiner = new PartJoiner(MEBIBYTE);
    const lengths: number[] = [];
    for (let i = 0; i < first.length; i++) {
      for (const part of [first[i], second[i]]) {
        const joined = part && joiner.add(part);
        if (joined?.type === "content") lengths.push(joined.content.length);
      }
    }
    expect(lengths).toEqual([1000, 999]);
  });

  it("larger than what may be held is dropped, and what follows is not affected", () => {
    const joiner = new PartJoiner(10_000);
    const results = split(content(30_000), 1000).map((part) => joiner.add(part).type);
    expect(results).toContain("dropped");
    expect(results).not.toContain("content");
    const small = split(content(2000), 1000, 2).map((part) => joiner.add(part).type);
    expect(small.at(-1)).toBe("content");
  });

  it("that never becomes whole makes room for newer", () => {
    const joiner = new PartJoiner(10_000);
    for (let id = 0; id < 100; id++) {
      const [first] = split(content(3000), 1000, id);
      if (first) joiner.add(first);
    }
    const whole = split(content(3000), 1000, 1000).map((part) => joiner.add(part).type);
    expect(whole.at(-1)).toBe("content");
    // What has made room is forgotten: its other parts are the beginning of something that is never whole.
    const [, ...rest] = split(content(3000), 1000, 0);
    expect(rest.map((part) => joiner.add(part).type)).not.toContain("content");
  });

  it("announced with an absurd number of parts is dropped at once", () => {
    const joiner = new PartJoiner(10_000);
    const part = { ...HEADER, id: 1, index: 2 ** 40, count: 2 ** 50, bytes: new Uint8Array(10) };
    expect(joiner.add(part)).toEqual({ type: "dropped", reason: "too-large" });
  });
});
