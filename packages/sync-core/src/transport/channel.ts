import type { SyncDriver } from "../contract/driver.ts";
import type { PeerMessage, TransportSignal } from "../contract/message.ts";
import { decodeContent, decodeEnvelope } from "../wire/envelope.ts";
import type { DecodedEnvelope } from "../wire/envelope.ts";
import { PartJoiner } from "../wire/parts.ts";
import type { Ledger } from "./ledger.ts";
import type { SyncTransportSettings } from "./options.ts";
import { Outbox } from "./outbox.ts";
import type { OutboxBudget, OutboxHost, Published } from "./outbox.ts";
import { createPort } from "./port.ts";
import type { Port, PortHost } from "./port.ts";
import { Subscription } from "./subscription.ts";
import type { SubscriptionHost } from "./subscription.ts";
import { within } from "./within.ts";

/** One document on the broker: a subscription and an outbox, shared by the document's transports. */
export interface Channel<Context> {
  /** Opens a transport; resolves when the subscription is live or cannot be now. */
  open(): Promise<Port<Context>>;
  /** The driver's connection has changed. */
  link(up: boolean): void;
  /** An envelope has come for it, on its own channel or in a bundle. */
  receive(bytes: Uint8Array): void;
  /** Tells every transport's reader. */
  signal(signal: TransportSignal): void;
  /** Ends every transport. */
  close(): Promise<void>;
}

export interface ChannelHost {
  readonly driver: SyncDriver;
  readonly budget: OutboxBudget;
  readonly ledger: Ledger;
  readonly linkUp: boolean;
  flushAfterTurn(outbox: Outbox): void;
  newSender(sender: string): void;
  /** A transport through which these have written has ended. */
  sendersGone(senders: ReadonlySet<string>): void;
  /** Sends it with those of other documents; false if it has to go alone. */
  bundle(channel: string, message: PeerMessage): boolean;
  /** Calls `alone` when it has turned out that no other instance has the channel's document open. */
  whoHas(channel: string, alone: () => void): void;
  /** The last transport has ended. */
  empty(name: string): void;
}

/** So long after its opening a document's first client may be waiting for the peers, in milliseconds. */
const OPENING = 2000;

export function createChannel<Context>(
  name: string,
  host: ChannelHost,
  options: SyncTransportSettings<Context>,
): Channel<Context> {
  return new DocumentChannel(name, host, options);
}

class DocumentChannel<Context>
  implements Channel<Context>, OutboxHost, SubscriptionHost, PortHost<Context>
{
  readonly #name: string;
  readonly #host: ChannelHost;
  readonly #options: SyncTransportSettings<Context>;
  readonly #outbox: Outbox;
  readonly #subscription: Subscription;
  readonly #ports = new Set<Port<Context>>();
  /** Those of them whose `createTransport` has resolved: they are told of each change of the link. */
  readonly #opened = new Set<Port<Context>>();
  readonly #createdAt = performance.now();
  readonly #isOwn = (sender: string): boolean => {
    for (const port of this.#ports) if (port.senders.has(sender)) return true;
    return false;
  };
  #joiner: PartJoiner | undefined;
  #live = false;

  constructor(name: string, host: ChannelHost, options: SyncTransportSettings<Context>) {
    this.#name = name;
    this.#host = host;
    this.#options = options;
    this.#outbox = new Outbox(host.driver, name, options.outboxBytes, host.budget, this);
    this.#subscription = new Subscription(host.driver, name, this);
  }

  // What the outbox tells.

  published(bytes: number): void {
    this.#host.ledger.published(bytes);
  }

  settled(published: Published): void {
    this.#host.ledger.recovered("publish");
    this.#lookWhoWasReached(published);
  }

  failed(messages: readonly PeerMessage[], cause: unknown): void {
    this.#host.ledger.droppedOut(messages.length);
    this.#host.ledger.failed("publish", this.#name, cause);
    this.#signalSenders(messages, { kind: "lost", direction: "out" });
  }

  relieved(): void {
    for (const port of this.#ports) port.deliver({ kind: "lost", direction: "out" });
  }

  // What the subscription tells.

  held(): void {
    this.#host.ledger.recovered("subscribe");
    this.#updateLive();
  }

  refused(cause: unknown): void {
    this.#host.ledger.failed("subscribe", this.#name, cause);
  }

  canSubscribe(): boolean {
    return this.#host.linkUp;
  }

  // What a port tells.

  newSender(sender: string): void {
    this.#host.newSender(sender);
  }

  droppedIn(): void {
    this.#host.ledger.droppedIn();
  }

  async open(): Promise<Port<Context>> {
    const port = createPort<Context>(this.#options.readableBytes, this);
    this.#ports.add(port);
    await within(this.#options.brokerTimeout, this.#subscription.want(true));
    this.#updateLive();
    this.#opened.add(port);
    if (!this.#live) port.deliver({ kind: "down" });
    return port;
  }

  link(up: boolean): void {
    this.#updateLive();
    if (up) this.#subscription.retry();
  }

  signal(signal: TransportSignal): void {
    for (const port of this.#opened) port.deliver(signal);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#ports].map((port) => this.released(port)));
  }

  #updateLive(): void {
    const now = this.#subscription.held && this.#host.linkUp;
    if (now === this.#live) return;
    this.#live = now;
    for (const port of this.#opened) port.deliver({ kind: this.#live ? "up" : "down" });
  }

  #lookWhoWasReached({ messages, receivers }: Published): void {
    const toEveryone = messages.some(({ kind, to }) => kind === "request" && to === undefined);
    if (!toEveryone || this.#ports.size > 1) return;
    const alone = (): void => {
      if (this.#ports.size === 1) this.#signalSenders(messages, { kind: "alone" });
    };
    if (receivers === undefined) {
      if (performance.now() - this.#createdAt < OPENING) this.#host.whoHas(this.#name, alone);
      return;
    }
    const own = this.#host.driver.capabilities.echo === "always" ? 1 : 0;
    if (receivers <= own) alone();
  }

  #signalSenders(
    messages: readonly PeerMessage[],
    signal: { kind: "alone" } | { kind: "lost"; direction: "out" },
  ): void {
    for (const port of this.#ports) {
      if (messages.some((message) => port.senders.has(message.sender))) port.deliver(signal);
    }
  }

  /** The subscription has brought something, or a bundle. */
  receive(bytes: Uint8Array): void {
    const decoded = decodeEnvelope(bytes, this.#isOwn);
    if (decoded.type !== "part") {
      this.#deliver(decoded, bytes.length);
      return;
    }
    this.#joiner ??= new PartJoiner(this.#options.partBytes);
    const joined = this.#joiner.add(decoded.part);
    if (joined.type === "content") {
      this.#deliver(decodeContent(decoded.part, joined.content), bytes.length);
    } else if (joined.type === "waiting") {
      this.#host.ledger.received(bytes.length);
    } else {
      this.#host.ledger.malformed(this.#name, joined.reason);
    }
  }

  #deliver(decoded: DecodedEnvelope, size: number): void {
    switch (decoded.type) {
      case "messages":
        this.#host.ledger.received(size);
        if (decoded.unknownKinds > 0)
          this.#host.ledger.unknownKind(this.#name, decoded.unknownKinds);
        for (const message of decoded.messages) {
          const delivered = this.#withContext(message);
          for (const port of this.#ports) port.deliver(delivered);
        }
        return;
      case "skipped":
        this.#host.ledger.echo();
        return;
      case "unknown-version":
        this.#host.ledger.unknownVersion(this.#name, decoded.version);
        return;
      case "malformed":
      case "part":
        this.#host.ledger.malformed(this.#name, "malformed");
    }
  }

  #withContext(message: PeerMessage): PeerMessage<Context> {
    const { context } = this.#options;
    return context === undefined ? (message as PeerMessage<Context>) : { ...message, context };
  }

  send(port: Port<Context>, message: PeerMessage): void {
    // The factory's other transports for this document hear it here, as the broker's echo is left out.
    if (this.#ports.size > 1) {
      const delivered = this.#withContext(message);
      // Not at once: the one who writes is in the middle of something.
      queueMicrotask(() => {
        for (const sibling of this.#ports) if (sibling !== port) sibling.deliver(delivered);
      });
    }
    if (this.#live && message.kind === "renewal" && this.#host.bundle(this.#name, message)) return;
    if (!this.#live || !this.#outbox.put(message)) {
      this.#host.ledger.droppedOut(1);
      return;
    }
    this.#host.flushAfterTurn(this.#outbox);
  }

  async released(port: Port<Context>): Promise<void> {
    this.#outbox.flush();
    await within(this.#options.brokerTimeout, this.#outbox.drained());
    this.#opened.delete(port);
    if (!this.#ports.delete(port)) return;
    try {
      port.end();
    } finally {
      // A reader may throw: its channel is given up all the same.
      await this.#giveUp(port);
    }
  }

  async #giveUp(port: Port<Context>): Promise<void> {
    this.#host.sendersGone(port.senders);
    if (this.#ports.size > 0) return;
    await within(this.#options.brokerTimeout, this.#subscription.want(false));
    // A transport may have been opened while the subscription was given up.
    if (this.#ports.size > 0) return;
    this.#live = false;
    this.#host.empty(this.#name);
  }
}
