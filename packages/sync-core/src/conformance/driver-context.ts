import type { DriverCapabilities, DriverConnection, SyncDriver } from "../contract/driver.ts";
import { ConformanceError } from "./check.ts";
import { createCondition, settles } from "./condition.ts";
import { describeDifference, sameBytes } from "./compare-bytes.ts";
import { bounded } from "./bounded-faults.ts";
import type { LinkLosses, LinkState } from "./link-losses.ts";
import type { BrokerFaults, Way } from "./target.ts";

/** What a driver check works with. All that it opens is closed behind it. */
export interface DriverContext {
  readonly capabilities: DriverCapabilities;
  /** How long anything may take, in milliseconds. */
  readonly patience: number;
  /** A name that no other check uses; `suffix` makes several. */
  channel(suffix?: string): string;
  /** One more instance, whatever its driver says. */
  open(way?: Way): Promise<DriverInstance>;
  /** One more instance; resolves when its driver has said `up`. */
  openUp(way?: Way): Promise<DriverInstance>;
  /** @throws ConformanceError if the target brings none: what can break and is never broken is not checked. */
  faults(): BrokerFaults;
  /** Sends through `from` what `inbox` then receives: all that was sent before has arrived, or never will. */
  fence(from: DriverInstance, inbox: Inbox): Promise<void>;
  /** @throws ConformanceError with `otherwise` if `work` has not settled within the patience. */
  settles<Value>(work: Promise<Value>, otherwise: string): Promise<Value>;
}

/** A driver, and what it has said. */
export interface DriverInstance {
  readonly driver: SyncDriver;
  readonly states: readonly DriverConnection[];
  /** Resolves when the driver says that state, or has said it since there were `since` states. */
  says(state: DriverConnection["state"], since: number): Promise<void>;
  subscribe(channel: string): Promise<Inbox>;
  publish(channel: string, content: string | Uint8Array): Promise<number | undefined>;
  /** Closes the driver, once. */
  close(): Promise<void>;
}

/** What has arrived on a subscription. */
export interface Inbox {
  readonly channel: string;
  readonly received: readonly Uint8Array[];
  /** As text, fences left out. */
  readonly texts: readonly string[];
  /** Resolves with what has arrived and is the same as `bytes`. */
  receives(bytes: Uint8Array): Promise<Uint8Array>;
  /** Resolves when that text has arrived. */
  hears(text: string): Promise<void>;
  unsubscribe(): Promise<void>;
}

const FENCE = "fence ";

/** Where there is no order, a single fence proves little. */
const FENCES_WITHOUT_ORDER = 20;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface DriverContextSettings {
  readonly capabilities: DriverCapabilities;
  readonly patience: number;
  readonly prefix: string;
  readonly losses: LinkLosses;
  /** What breaks the link, if the target brings it; whatever is broken is healed after the check. */
  useFaults(): BrokerFaults | undefined;
  openDriver(way: Way): Promise<SyncDriver>;
  /** To be run after the check. */
  afterwards(cleanUp: () => Promise<void>): void;
}

export function createDriverContext(settings: DriverContextSettings): DriverContext {
  const { capabilities, patience, prefix, losses } = settings;
  let fences = 0;

  async function open(way: Way = "direct"): Promise<DriverInstance> {
    const driver = await settles(settings.openDriver(way), patience, "`openDriver` did not settle");
    const instance = createDriverInstance(driver, patience, losses.follow(way, false));
    settings.afterwards(instance.close);
    return instance;
  }

  return {
    capabilities,
    patience,
    channel: (suffix = "") => prefix + suffix,
    open,
    async openUp(way) {
      const instance = await open(way);
      await instance.says("up", 0);
      return instance;
    },
    faults() {
      const faults = settings.useFaults();
      if (faults !== undefined) return losses.excusing(bounded(faults, patience));
      throw new ConformanceError(
        'the driver declares `recovery: "automatic"`, and the target brings no `faults` to show it',
      );
    },
    async fence(from, inbox) {
      const count = capabilities.ordering === "none" ? FENCES_WITHOUT_ORDER : 1;
      for (let i = 0; i < count; i++) {
        const text = FENCE + fences++;
        await publishUntilTaken(from, inbox.channel, text, patience);
        await inbox.hears(text);
      }
    },
    settles: (work, otherwise) => settles(work, patience, otherwise),
  };
}

/** How long after a publish that was refused the next one comes, in milliseconds. */
const REFUSED_PAUSE = 50;

/** A broker of several nodes may be up, and yet refuse for a moment what belongs to one of them. */
async function publishUntilTaken(
  from: DriverInstance,
  channel: string,
  text: string,
  patience: number,
): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      await from.publish(channel, text);
      return;
    } catch (cause) {
      if (performance.now() > deadline) throw cause;
      await new Promise((resolve) => setTimeout(resolve, REFUSED_PAUSE));
    }
  }
}

function createDriverInstance(
  driver: SyncDriver,
  patience: number,
  follow: (said: LinkState) => void,
): DriverInstance {
  const states: DriverConnection[] = [];
  const condition = createCondition(patience);
  let closing: Promise<void> | undefined;
  driver.watch((connection) => {
    states.push(connection);
    if (closing === undefined) follow(connection);
    condition.changed();
  });

  return {
    driver,
    states,
    says: (state, since) =>
      condition.until(
        () => states.slice(since).some((said) => said.state === state),
        () => `the driver did not say \`${state}\``,
      ),
    subscribe: (channel) => createInbox(driver, channel, patience),
    publish: (channel, content) =>
      settles(
        driver.publish(channel, typeof content === "string" ? encoder.encode(content) : content),
        patience,
        "a publish did not settle",
      ),
    close() {
      closing ??= driver.close();
      return closing;
    },
  };
}

async function createInbox(driver: SyncDriver, channel: string, patience: number): Promise<Inbox> {
  const received: Uint8Array[] = [];
  const texts: string[] = [];
  const heard = new Set<string>();
  const condition = createCondition(patience);
  const unsubscribe = await settles(
    driver.subscribe(channel, (bytes) => {
      const text = decoder.decode(bytes);
      heard.add(text);
      if (!text.startsWith(FENCE)) {
        received.push(bytes);
        texts.push(text);
      }
      condition.changed();
    }),
    patience,
    `subscribing to ${JSON.stringify(channel.slice(0, 80))} did not settle`,
  );

  return {
    channel,
    received,
    texts,
    async receives(bytes) {
      let found: Uint8Array | undefined;
      await condition.until(
        () => {
          found = received.find((candidate) => sameBytes(candidate, bytes));
          return found !== undefined;
        },
        () => {
          const last = received.at(-1);
          const instead = last === undefined ? "nothing" : describeDifference(last, bytes);
          return `a message of ${bytes.length} bytes did not arrive as it was sent; the last to come: ${instead}`;
        },
      );
      return found ?? bytes;
    },
    hears: (text) =>
      condition.until(
        () => heard.has(text),
        () => `${JSON.stringify(text)} did not arrive after ${received.length} messages that did`,
      ),
    unsubscribe: () => settles(unsubscribe(), patience, "an unsubscribe did not settle"),
  };
}
