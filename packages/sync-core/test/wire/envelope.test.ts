import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PeerMessage, PeerMessageKind } from "../../src/contract/message.ts";
import { decodeEnvelope, encodeEnvelope } from "../../src/wire/envelope.ts";

const SENDER = "0123456789abcdef";
const OTHER = "fedcba9876543210";
const EPOCH = 1_700_000_000_000;
const HEADER = { sender: SENDER, epoch: EPOCH };

const KINDS = [
  "update",
  "awareness",
  "request",
  "reply",
  "digest",
  "leave",
  "heartbeat",
  "renewal",
  "bundle",
] as const;

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}

function message(kind: PeerMessageKind, seq: number, ...frames: Uint8Array[]): PeerMessage {
  return { kind, ...HEADER, seq, frames };
}

function encode(...messages: PeerMessage[]): Uint8Array {
  return encodeEnvelope(HEADER, messages);
}

const bytes = fc.uint8Array({ maxLength: 300 });
const peerId = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(hex);
const header = fc.record({ sender: peerId, epoch: fc.maxSafeNat() });

const anyEnvelope = header.chain((of) =>
  fc.record({
    header: fc.constant(of),
    messages: fc.array(
      fc
        .record({
          kind: fc.constantFrom(...KINDS),
          seq: fc.maxSafeNat(),
          to: fc.option(peerId, { nil: undefined }),
          frames: fc.array(bytes, { maxLength: 5 }),
        })
        .map(({ to, ...rest }): PeerMessage => ({
          ...rest,
          ...of,
          ...(to === undefined ? {} : { to }),
        })),
      { maxLength: 5 },
    ),
  }),
);

describe("an envelope", () => {
  // What instances of every release have to read. A change here breaks running deployments.
  it.each([
    [
      "one update",
      [message("update", 1, new Uint8Array([0, 2, 3, 9, 9, 9]))],
      "5453 01 00 0123456789abcdef 80d095ffbc31 01 01 01 06 000203090909",
    ],
    [
      "two updates of one turn and presence",
      [
        message("update", 300, new Uint8Array([7]), new Uint8Array([8, 9])),
        message("awareness", 300, new Uint8Array([1, 1, 0])),
      ],
      "5453 01 00 0123456789abcdef 80d095ffbc31 01 ac02 02 01 07 02 0809 02 ac02 01 03 010100",
    ],
    [
      "a reply to one peer",
      [{ ...message("reply", 0, new Uint8Array(), new Uint8Array([5])), to: OTHER }],
      "5453 01 00 0123456789abcdef 80d095ffbc31 14 00 fedcba9876543210 02 00 01 05",
    ],
    ["a goodbye", [message("leave", 2)], "5453 01 00 0123456789abcdef 80d095ffbc31 06 02 00"],
  ])("of %s has exactly these bytes", (_name, messages, golden) => {
    expect(hex(encode(...messages))).toBe(golden.replaceAll(" ", ""));
    expect(decodeEnvelope(fromHex(golden))).toEqual({
      type: "messages",
      header: HEADER,
      messages,
      unknownKinds: 0,
    });
  });

  it("costs at most 24 bytes above a keystroke's frame, up to its two millionth", () => {
    const frame = new Uint8Array(40);
    for (const seq of [1, 1000, 2_000_000]) {
      expect(encode(message("update", seq, frame)).length - frame.length).toBeLessThanOrEqual(24);
    }
  });

  it("comes back as it was sent, whatever is in it", () => {
    fc.assert(
      fc.property(anyEnvelope, (envelope) => {
        const encoded = encodeEnvelope(envelope.header, envelope.messages);
        expect(decodeEnvelope(encoded)).toEqual({
          type: "messages",
          header: envelope.header,
          messages: envelope.messages,
          unknownKinds: 0,
        });
      }),
    );
  });

  it("is read the same from the middle of a larger buffer", () => {
    fc.assert(
      fc.property(anyEnvelope, bytes, bytes, (envelope, before, after) => {
        const encoded = encodeEnvelope(envelope.header, envelope.messages);
        const pool = new Uint8Array([...before, ...encoded, ...after]);
        const view = pool.subarray(before.length, before.length + encoded.length);
        expect(decodeEnvelope(view)).toEqual(decodeEnvelope(encoded));
      }),
    );
  });

  it("that was cut short anywhere is malformed or holds fewer whole messages, never a half one", () => {
    fc.assert(
      fc.property(anyEnvelope, fc.nat(), (envelope, at) => {
        const encoded = encodeEnvelope(envelope.header, envelope.messages);
        const decoded = decodeEnvelope(encoded.subarray(0, at % encoded.length));
        if (decoded.type === "messages") {
          expect(envelope.messages.slice(0, decoded.messages.length)).toEqual(decoded.messages);
        } else {
          expect(decoded.type).toBe("malformed");
        }
      }),
    );
  });

  it("of garbage, or with any byte changed, never throws", () => {
    const changed = fc
      .tuple(anyEnvelope, fc.nat(), fc.nat({ max: 255 }))
      .map(([envelope, at, to]) => {
        const encoded = encodeEnvelope(envelope.header, envelope.messages).slice();
        encoded[at % encoded.length] = to;
        return encoded;
      });
    const withMagic = bytes.map((rest) => new Uint8Array([0x54, 0x53, 1, 0, ...rest]));
    fc.assert(
      fc.property(fc.oneof(bytes, withMagic, changed), (garbage) => {
        expect(decodeEnvelope(garbage).type).toMatch(/^(messages|part|unknown-version|malformed)$/);
      }),
      { numRuns: 2000 },
    );
  });

  it("of a version that is not known is told apart from garbage", () => {
    const encoded = encode(message("update", 1, new Uint8Array([1]))).slice();
    encoded[2] = 2;
    expect(decodeEnvelope(encoded)).toEqual({ type: "unknown-version", version: 2 });
  });

  it("with flags that are not known is left to newer instances", () => {
    const encoded = encode(message("update", 1, new Uint8Array([1]))).slice();
    encoded[3] = 0b1000;
    expect(decodeEnvelope(encoded).type).toBe("unknown-version");
  });

  it("with a kind that is not known gives the others", () => {
    const golden = "5453 01 00 0123456789abcdef 80d095ffbc31 0f 09 01 02 aabb 06 02 00";
    expect(decodeEnvelope(fromHex(golden))).toEqual({
      type: "messages",
      header: HEADER,
      messages: [message("leave", 2)],
      unknownKinds: 1,
    });
  });

  it("with extensions of a later version is read without them", () => {
    const golden = "5453 01 02 0123456789abcdef 80d095ffbc31 03 aabbcc 26 02 01 dd 00";
    expect(decodeEnvelope(fromHex(golden))).toMatchObject({
      type: "messages",
      messages: [message("leave", 2)],
    });
  });

  it("that announces more frames than it has bytes is malformed at once", () => {
    const golden = "5453 01 00 0123456789abcdef 80d095ffbc31 01 01 ffffffffffff0f";
    expect(decodeEnvelope(fromHex(golden))).toEqual({ type: "malformed" });
  });
});
