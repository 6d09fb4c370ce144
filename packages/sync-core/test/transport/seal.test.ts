import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createSyncTransportFactory, silentLogger } from "@teleportal/sync-core";
import type { PeerMessage, TransportStreams } from "@teleportal/sync-core";
import { createSeal, SEAL_OVERHEAD } from "../../src/transport/seal.ts";
import { createScriptedBroker } from "./scripted-broker.ts";

const OLD = "old secret ".repeat(4);
const NEW = "new secret ".repeat(4);
const ENVELOPE = new Uint8Array([1, 2, 3, 4, 5]);

function sealWith(...secrets: string[]) {
  return createSeal("test", secrets);
}

describe("a sealed envelope", () => {
  afterEach(() => vi.useRealTimers());

  it("is opened by who has the secret, and comes out as it went in", () => {
    const [sender, receiver] = [sealWith(OLD), sealWith(OLD)];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.string(), (envelope, channel) => {
        const sealed = sender.seal(channel, envelope);
        expect(sealed.length - envelope.length).toBeLessThanOrEqual(SEAL_OVERHEAD);
        expect(receiver.open(channel, sealed)).toEqual(envelope);
      }),
    );
  });

  it("says nothing to who has another secret, and shows nothing of what is in it", () => {
    const sealed = sealWith(OLD).seal("doc", new TextEncoder().encode("confidential"));
    expect(sealWith(NEW).open("doc", sealed)).toBeUndefined();
    expect(Buffer.from(sealed).toString("latin1")).not.toContain("confidential");
  });

  it("with any bit changed is refused", () => {
    const sealed = sealWith(OLD).seal("doc", ENVELOPE);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = new Uint8Array(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(sealWith(OLD).open("doc", changed)).toBeUndefined();
    }
  });

  it("cut short, or garbage, is refused", () => {
    const receiver = sealWith(OLD);
    const sealed = sealWith(OLD).seal("doc", ENVELOPE);
    for (let length = 0; length < sealed.length; length++) {
      expect(receiver.open("doc", sealed.subarray(0, length))).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.uint8Array(), (garbage) => {
        expect(receiver.open("doc", garbage)).toBeUndefined();
      }),
    );
  });

  it("is refused on another document's channel", () => {
    const sealed = sealWith(OLD).seal("doc", ENVELOPE);
    expect(sealWith(OLD).open("other", sealed)).toBeUndefined();
  });

  it("is taken once: a recording played again is refused, whatever came in between", () => {
    const [sender, receiver] = [sealWith(OLD), sealWith(OLD)];
    const recorded = Array.from({ length: 300 }, () => sender.seal("doc", ENVELOPE));
    for (const sealed of recorded) expect(receiver.open("doc", sealed)).toEqual(ENVELOPE);
    for (const sealed of recorded) expect(receiver.open("doc", sealed)).toBeUndefined();
  });

  it("that is a little late is taken, where the broker does not keep the order", () => {
    const [sender, receiver] = [sealWith(OLD), sealWith(OLD)];
    const sent = Array.from({ length: 60 }, () => sender.seal("doc", ENVELOPE)).toReversed();
    for (const sealed of sent) expect(receiver.open("doc", sealed)).toEqual(ENVELOPE);
  });

  it("recorded is refused by an instance that has restarted since, once it is five minutes old", () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const sealed = sealWith(OLD).seal("doc", ENVELOPE);
    vi.setSystemTime(Date.now() + 5 * 60_000 + 1);
    expect(sealWith(OLD).open("doc", sealed)).toBeUndefined();
  });

  it("goes on being taken while the secret is changed step by step", () => {
    const steps = [[OLD], [OLD, NEW], [NEW, OLD], [NEW]];
    for (let i = 0; i + 1 < steps.length; i++) {
      const [before, after] = [sealWith(...(steps[i] ?? [])), sealWith(...(steps[i + 1] ?? []))];
      expect(after.open("doc", before.seal("doc", ENVELOPE))).toEqual(ENVELOPE);
      expect(before.open("doc", after.seal("doc", ENVELOPE))).toEqual(ENVELOPE);
    }
  });

  it("needs a secret that cannot be guessed", () => {
    expect(() => sealWith("short")).toThrow("use at least 32 random ones");
    expect(() => sealWith()).toThrow("empty list");
  });
});

describe("a factory with a secret", () => {
  function update(sender: string, seq: number): PeerMessage {
    return { kind: "update", sender, epoch: 1, seq, frames: [new Uint8Array(2000).fill(seq)] };
  }

  async function open(
    broker: ReturnType<typeof createScriptedBroker>,
    sender: string,
    secret?: string,
  ) {
    const driver = broker.driver({ maxPayload: 1000 });
    const factory = createSyncTransportFactory<unknown>(driver, {
      context: {},
      logger: silentLogger,
      ...(secret === undefined ? {} : { secret }),
    });
    driver.say({ state: "up" });
    const transport: TransportStreams<unknown> = await factory.createTransport("doc");
    const reader = transport.readable.getReader();
    const writer = transport.writable.getWriter();
    return {
      factory,
      write: (seq: number) => writer.write(update(sender, seq)),
      next: async () => (await reader.read()).value,
    };
  }

  it("is in step with those that have it, in parts within the broker's limit, and deaf to others", async () => {
    const broker = createScriptedBroker();
    const a = await open(broker, "aaaaaaaaaaaaaaaa", OLD);
    const b = await open(broker, "bbbbbbbbbbbbbbbb", OLD);
    const stranger = await open(broker, "cccccccccccccccc");
    await stranger.write(1);
    await a.write(2);
    expect(await b.next()).toMatchObject(update("aaaaaaaaaaaaaaaa", 2));
    await b.write(3);
    expect(await a.next()).toMatchObject(update("bbbbbbbbbbbbbbbb", 3));
    for (const { bytes } of broker.published) expect(bytes.length).toBeLessThanOrEqual(1000);
    expect(b.factory.metrics.refused).toBeGreaterThan(0);
    expect(stranger.factory.metrics.received).toBe(0);
    await Promise.all([a, b, stranger].map(({ factory }) => factory.close()));
  });
});
