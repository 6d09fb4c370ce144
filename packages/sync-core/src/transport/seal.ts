import type { CipherGCMTypes } from "node:crypto";
import { SyncError } from "../sync-error.ts";
import { ByteReader, TruncatedError } from "../wire/byte-reader.ts";
import { ByteWriter } from "../wire/byte-writer.ts";

/**
 * Seals envelopes, so that who can reach the broker can neither read nor forge them (AES-256-GCM, NIST SP 800-38D).
 *
 *     sealed    magic "TS" | version 1 | flags 4 | key id 4 | nonce 12 | ciphertext | tag 16
 *     plaintext sealer 8 | counter v | envelope
 *
 * The header and the channel's name are authenticated with it, so an envelope cannot be moved to another document. The
 * counter grows with every envelope of a factory; a receiver takes each at most once, and from a sealer that is new to
 * it only what is at most five minutes old: a recording cannot be played again.
 */
export interface Seal {
  seal(channel: string, envelope: Uint8Array): Uint8Array;
  /** Undefined for what was not sealed with one of the secrets for this channel, or was taken before. */
  open(channel: string, sealed: Uint8Array): Uint8Array | undefined;
}

/** Bytes that a sealed envelope is longer than the envelope in it, at most. */
export const SEAL_OVERHEAD = 56;

const MAGIC = [0x54, 0x53, 1, 0b100] as const;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALER_BYTES = 8;
const HEADER_BYTES = MAGIC.length + KEY_ID_BYTES + NONCE_BYTES;
const ALGORITHM: CipherGCMTypes = "aes-256-gcm";

/** The shortest secret: as many characters as make guessing hopeless when they are random. */
const MIN_SECRET_LENGTH = 32;

/** Milliseconds: what clocks may differ by, and how old the first envelope of an unknown sealer may be. */
const MAX_AGE = 5 * 60_000;

/** How many counters are remembered per sealer and channel: one may come that late, where the order is not kept. */
const WINDOW = 64;

/** How many sealers and channels are remembered before those are forgotten whose recordings are too old to be taken. */
const PRUNE_AT = 1024;

/** Counters start at the time in microseconds, so that a restarted factory goes on above where it was. */
const PER_MILLISECOND = 1000;

interface Key {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}

/** What was taken from one sealer on one channel: everything up to `floor`, and `recent`. */
interface Seen {
  floor: number;
  newest: number;
  readonly recent: Set<number>;
}

/**
 * @param secrets the first seals, all open: to change it, add the new one behind on every instance, then put it first,
 * then remove the old one. At least 32 characters each.
 * @throws SyncError for a secret that is too short, and where there is no `node:crypto` (Node, Bun and Deno have it).
 */
export function createSeal(packageName: string, secrets: readonly string[]): Seal {
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET_LENGTH) {
      throw new SyncError(
        packageName,
        `a secret has ${secret.length} characters`,
        `use at least ${MIN_SECRET_LENGTH} random ones, for example from: openssl rand -hex 32`,
      );
    }
  }
  // Asked of the process rather than imported, so that bundles for other runtimes stay free of it.
  const crypto = globalThis.process?.getBuiltinModule?.("node:crypto");
  if (crypto === undefined) {
    throw new SyncError(packageName, "there is no node:crypto here", "leave `secret` out");
  }
  const derive = (secret: string, use: string, length: number): Uint8Array =>
    new Uint8Array(crypto.hkdfSync("sha256", secret, "", `teleportal sync 1 ${use}`, length));
  const keys: readonly Key[] = secrets.map((secret) => ({
    id: derive(secret, "key id", KEY_ID_BYTES),
    key: derive(secret, "envelope", 32),
  }));
  const [sealing] = keys;
  if (sealing === undefined) {
    throw new SyncError(packageName, "`secret` is an empty list", "give one, or leave it out");
  }
  const sealer = new Uint8Array(crypto.randomBytes(SEALER_BYTES));
  let counter = Date.now() * PER_MILLISECOND;
  const seen = new Map<string, Seen>();
  let pruneAt = PRUNE_AT;

  function authenticate(
    cipher: { setAAD(data: Uint8Array): unknown },
    header: Uint8Array,
    channel: string,
  ): void {
    const name = new TextEncoder().encode(channel);
    const data = new Uint8Array(header.length + name.length);
    data.set(header);
    data.set(name, header.length);
    cipher.setAAD(data);
  }

  function oldestTaken(): number {
    return (Date.now() - MAX_AGE) * PER_MILLISECOND;
  }

  /** Whether a counter is new, and remembers it if so. */
  function take(from: string, value: number): boolean {
    let known = seen.get(from);
    if (known === undefined) {
      if (seen.size >= pruneAt) prune();
      known = { floor: oldestTaken(), newest: 0, recent: new Set() };
      seen.set(from, known);
    }
    if (value <= known.floor || known.recent.has(value)) return false;
    known.newest = Math.max(known.newest, value);
    known.recent.add(value);
    if (known.recent.size > WINDOW) {
      const [first = 0] = known.recent;
      known.recent.delete(first);
      known.floor = Math.max(known.floor, first);
    }
    return true;
  }

  /** What is forgotten here is too old to be taken from a sealer that is not known. */
  function prune(): void {
    const oldest = oldestTaken();
    for (const [from, { newest }] of seen) if (newest < oldest) seen.delete(from);
    pruneAt = Math.max(PRUNE_AT, seen.size * 2);
  }

  function decrypt(channel: string, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < HEADER_BYTES + TAG_BYTES) return undefined;
    if (MAGIC.some((byte, i) => sealed[i] !== byte)) return undefined;
    const header = sealed.subarray(0, HEADER_BYTES);
    const id = header.subarray(MAGIC.length, MAGIC.length + KEY_ID_BYTES);
    const key = keys.find((candidate) => candidate.id.every((byte, i) => id[i] === byte));
    if (key === undefined || crypto === undefined) return undefined;
    const nonce = header.subarray(MAGIC.length + KEY_ID_BYTES);
    const decipher = crypto.createDecipheriv(ALGORITHM, key.key, nonce, {
      authTagLength: TAG_BYTES,
    });
    authenticate(decipher, header, channel);
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const plain = decipher.update(sealed.subarray(HEADER_BYTES, sealed.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      // Forged, damaged, or of another channel; Node says no more than that.
      return undefined;
    }
    return plain;
  }

  return {
    seal(channel, envelope) {
      counter = Math.max(counter + 1, Date.now() * PER_MILLISECOND);
      const plain = new ByteWriter();
      plain.put(sealer);
      plain.varUint(counter);
      plain.put(envelope);
      const nonce = crypto.randomBytes(NONCE_BYTES);
      const header = new Uint8Array([...MAGIC, ...sealing.id, ...nonce]);
      const cipher = crypto.createCipheriv(ALGORITHM, sealing.key, nonce, {
        authTagLength: TAG_BYTES,
      });
      authenticate(cipher, header, channel);
      const sealed = new ByteWriter();
      sealed.put(header);
      sealed.put(cipher.update(plain.finish()));
      cipher.final();
      sealed.put(cipher.getAuthTag());
      return sealed.finish();
    },
    open(channel, sealed) {
      const plain = decrypt(channel, sealed);
      if (plain === undefined) return undefined;
      try {
        const reader = new ByteReader(plain);
        const from = reader.take(SEALER_BYTES).join();
        // Per channel: what is refused on one must not depend on what another has seen.
        return take(`${from} ${channel}`, reader.varUint()) ? reader.rest() : undefined;
      } catch (error) {
        if (error instanceof TruncatedError) return undefined;
        throw error;
      }
    },
  };
}
