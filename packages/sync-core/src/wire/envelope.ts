/**
 * What travels on the broker: the messages of one sender about one document from one event-loop turn.
 *
 *     envelope   magic "TS" | version 1 | flags 1 | sender 8 | epoch v | [extension] | content
 *     content    record*                                          (flags: none)
 *                id v | index v | count v | bytes                 (flags: part; see parts.ts)
 *     record     kind and flags 1 | seq v | [to 8] | [extension] | count v | frame*
 *     frame      length v | bytes
 *     extension  length v | bytes
 *
 * `v` is the variable-length unsigned integer of lib0. `version` is the oldest reader that understands the envelope:
 * a newer writer keeps saying 1 while what it adds stands in extensions (skipped by length), or is a new kind
 * (skipped, as every kind has the same layout). One keystroke in one envelope costs at most 24 bytes above its frame.
 */
import type { PeerMessage, PeerMessageKind } from "../contract/message.ts";
import { ByteReader, TruncatedError } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { decodePeerId, encodePeerId, PEER_ID_BYTES } from "./peer-id.ts";

export const ENVELOPE_VERSION = 1;

const MAGIC_0 = 0x54;
const MAGIC_1 = 0x53;

const FLAG_PART = 0b01;
const FLAG_EXTENSION = 0b10;
const KNOWN_FLAGS = FLAG_PART | FLAG_EXTENSION;

const RECORD_KIND_MASK = 0x0f;
const RECORD_TO = 0x10;
const RECORD_EXTENSION = 0x20;
const KNOWN_RECORD_BITS = RECORD_KIND_MASK | RECORD_TO | RECORD_EXTENSION;

const CODE_OF_KIND = {
  update: 1,
  awareness: 2,
  request: 3,
  reply: 4,
  digest: 5,
  leave: 6,
  heartbeat: 7,
  renewal: 8,
  bundle: 9,
  "roll-call": 10,
  absent: 11,
} satisfies Record<PeerMessageKind, number>;

const KIND_OF_CODE: (PeerMessageKind | undefined)[] = [];
for (const [kind, code] of Object.entries(CODE_OF_KIND)) {
  KIND_OF_CODE[code] = kind as PeerMessageKind;
}

/** Whose envelope it is. */
export interface EnvelopeHeader {
  readonly sender: string;
  readonly epoch: number;
}

/** A piece of an envelope's content that was too large for one publish. */
export interface EnvelopePart extends EnvelopeHeader {
  readonly id: number;
  readonly index: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** What foreign bytes turned out to be. Nothing is ever half decoded: a malformed record spoils its envelope. */
export type DecodedEnvelope =
  | {
      readonly type: "messages";
      readonly header: EnvelopeHeader;
      readonly messages: PeerMessage[];
      readonly unknownKinds: number;
    }
  | { readonly type: "part"; readonly part: EnvelopePart }
  /** Of a sender that nobody wants to hear. */
  | { readonly type: "skipped" }
  | { readonly type: "unknown-version"; readonly version: number }
  | { readonly type: "malformed" };

function writeHeader(writer: ByteWriter, header: EnvelopeHeader, flags: number): void {
  writer.uint8(MAGIC_0);
  writer.uint8(MAGIC_1);
  writer.uint8(ENVELOPE_VERSION);
  writer.uint8(flags);
  writer.put(encodePeerId(header.sender));
  writer.varUint(header.epoch);
}

/** The messages of one sender and epoch, in order, as one envelope. */
export function encodeEnvelope(
  header: EnvelopeHeader,
  messages: readonly PeerMessage[],
): Uint8Array {
  const writer = new ByteWriter();
  writeHeader(writer, header, 0);
  for (const message of messages) {
    writer.uint8(CODE_OF_KIND[message.kind] | (message.to === undefined ? 0 : RECORD_TO));
    writer.varUint(message.seq);
    if (message.to !== undefined) writer.put(encodePeerId(message.to));
    writer.varUint(message.frames.length);
    for (const frame of message.frames) writer.varBytes(frame);
  }
  return writer.finish();
}

/** What follows the header in an envelope of that header. */
export function contentOf(header: EnvelopeHeader, envelope: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writeHeader(writer, header, 0);
  return envelope.subarray(writer.finish().length);
}

export function encodePart(part: EnvelopePart): Uint8Array {
  const writer = new ByteWriter();
  writeHeader(writer, part, FLAG_PART);
  writer.varUint(part.id);
  writer.varUint(part.index);
  writer.varUint(part.count);
  writer.put(part.bytes);
  return writer.finish();
}

/**
 * Reads foreign bytes; never throws. Frames are views into `bytes`.
 *
 * @param skips Whether what the sender says is not read, as a broker's echo of one's own.
 */
export function decodeEnvelope(
  bytes: Uint8Array,
  skips: (sender: string) => boolean = () => false,
): DecodedEnvelope {
  try {
    return readEnvelope(new ByteReader(bytes), skips);
  } catch (error) {
    return malformed(error);
  }
}

/** Reads content put together again from parts; never throws. */
export function decodeContent(header: EnvelopeHeader, content: Uint8Array): DecodedEnvelope {
  try {
    return readContent(new ByteReader(content), header);
  } catch (error) {
    return malformed(error);
  }
}

function readEnvelope(reader: ByteReader, skips: (sender: string) => boolean): DecodedEnvelope {
  if (reader.uint8() !== MAGIC_0 || reader.uint8() !== MAGIC_1) return { type: "malformed" };
  const version = reader.uint8();
  const flags = reader.uint8();
  if (version !== ENVELOPE_VERSION || (flags & ~KNOWN_FLAGS) !== 0) {
    return { type: "unknown-version", version };
  }
  const header = { sender: decodePeerId(reader.take(PEER_ID_BYTES)), epoch: reader.varUint() };
  if (skips(header.sender)) return { type: "skipped" };
  if (flags & FLAG_EXTENSION) reader.varBytes();
  if (!(flags & FLAG_PART)) return readContent(reader, header);
  const part = {
    ...header,
    id: reader.varUint(),
    index: reader.varUint(),
    count: reader.varUint(),
    bytes: reader.rest(),
  };
  return part.index < part.count ? { type: "part", part } : { type: "malformed" };
}

function readContent(reader: ByteReader, header: EnvelopeHeader): DecodedEnvelope {
  const { sender, epoch } = header;
  const messages: PeerMessage[] = [];
  let unknownKinds = 0;
  while (reader.remaining > 0) {
    const code = reader.uint8();
    const seq = reader.varUint();
    const to = code & RECORD_TO ? decodePeerId(reader.take(PEER_ID_BYTES)) : undefined;
    if (code & RECORD_EXTENSION) reader.varBytes();
    const count = reader.varUint();
    // Made with its first frame, mostly the only one: an array that grows from nothing has room for seventeen.
    const frames = count > 0 ? [reader.varBytes()] : [];
    // A count that is a lie ends at the first frame that is not there: each takes a byte at least.
    for (let i = 1; i < count; i++) frames.push(reader.varBytes());
    const kind =
      (code & ~KNOWN_RECORD_BITS) === 0 ? KIND_OF_CODE[code & RECORD_KIND_MASK] : undefined;
    if (kind === undefined) unknownKinds += 1;
    else if (to === undefined) messages.push({ kind, sender, epoch, seq, frames });
    else messages.push({ kind, sender, epoch, seq, to, frames });
  }
  return { type: "messages", header, messages, unknownKinds };
}

function malformed(error: unknown): DecodedEnvelope {
  if (error instanceof TruncatedError) return { type: "malformed" };
  throw error;
}
