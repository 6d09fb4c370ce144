import type { DriverCapabilities, SyncDriver } from "../contract/driver.ts";
import { silentLogger } from "../contract/logger.ts";
import type { ServerSyncTransportFactory } from "../contract/transport.ts";
import { createSyncTransportFactory } from "../transport/sync-transport-factory.ts";
import { createPeerId } from "../wire/peer-id.ts";
import { describeCause, SyncError } from "../sync-error.ts";
import { ConformanceError } from "./check.ts";
import type { Check, CheckRequirements } from "./check.ts";
import { settles } from "./condition.ts";
import { createDriverContext } from "./driver-context.ts";
import { driverChecks } from "./driver-checks/index.ts";
import { createFactoryContext, STRICTEST } from "./factory-context.ts";
import type { FactoryCapabilities } from "./factory-context.ts";
import { createLinkLosses } from "./link-losses.ts";
import type { LinkLosses } from "./link-losses.ts";
import { factoryChecks } from "./factory-checks/index.ts";
import type { BrokerFaults, ConformanceTarget, FactoryOptions, Way } from "./target.ts";

/** Every check there is, whether it applies to a target or not. */
export const conformanceChecks: readonly Check[] = [...driverChecks, ...factoryChecks];

/** A target, and the checks that apply to what it declares. */
export interface Conformance {
  /** Such as `sync-redis on Redis 7.0.15`. */
  readonly title: string;
  /** What the driver declares; `undefined` for a target that has none. */
  readonly driverCapabilities: DriverCapabilities | undefined;
  readonly factoryCapabilities: FactoryCapabilities;
  /** Those that apply. */
  readonly checks: readonly Check[];
  /** Those that do not, and why. */
  readonly inapplicable: readonly { readonly check: Check; readonly reason: string }[];
  /**
   * More milliseconds than a check can take, for the limit of a test runner.
   */
  readonly timeout: number;
  /**
   * Resolves if the target passes; rejects with what is wrong. One at a time: checks break the link they share. A check that fails
   * while an instance lost its link, although nothing had broken it, has said nothing of the adapter: it is run again, twice at most.
   */
  run(check: Check): Promise<void>;
  /** Closes the target. */
  close(): Promise<void>;
}

const DEFAULT_PATIENCE = 10_000;

/** The longest checks wait this many times. */
const WAITS = 20;

/** A link that is lost by itself each time is the adapter's fault, or nothing can be checked over it. */
const MAX_RUNS = 3;

export interface OpenConformanceOptions {
  /**
   * Called when a check is to be run again, because a link was lost by itself.
   * @default `console.warn` with all of it
   */
  readonly onLinkLost?: (check: Check, cause: string) => void;
}

function warn({ id }: Check, cause: string): void {
  console.warn(
    `[sync-core] ${id} is run again: a link was lost that nothing had broken (${cause})`,
  );
}

/**
 * Opens a target, once, to see what it declares: capabilities decide what is checked, and there is no other way to
 * leave a check out.
 *
 * @throws SyncError for a target with neither a driver nor a factory; whatever the target throws at its opening.
 */
export async function openConformance(
  target: ConformanceTarget,
  options: OpenConformanceOptions = {},
): Promise<Conformance> {
  try {
    return await examine(target, options);
  } catch (error) {
    // What went wrong first is what is told.
    await closeTarget(target).catch(() => {});
    throw error;
  }
}

async function closeTarget(target: ConformanceTarget): Promise<void> {
  await target.close?.();
}

async function examine(
  target: ConformanceTarget,
  { onLinkLost = warn }: OpenConformanceOptions,
): Promise<Conformance> {
  const { openDriver, openFactory, openWithCallersClient } = bound(target);
  const patience = target.patience ?? DEFAULT_PATIENCE;
  const run = createPeerId();
  let runs = 0;

  const openAnyFactory = openFactory ?? factoryAround(target.name, openDriver);

  const driverCapabilities =
    openDriver &&
    (await settles(declaredByDriver(openDriver), patience, "`openDriver` did not settle"));
  const factoryCapabilities = await settles(
    declaredByFactory(openAnyFactory),
    patience,
    "`openFactory` did not settle",
  );
  for (const declared of [driverCapabilities, factoryCapabilities]) {
    if (declared !== undefined) assertKnown(target.name, declared);
  }

  function reasonAgainst(check: Check): string | undefined {
    const { target: needed, ...wanted } = check.requires;
    if (check.subject === "driver" && driverCapabilities === undefined) return "there is no driver";
    if (needed === "openDriver" && openDriver === undefined) return "there is no driver";
    if (needed === "callersClient" && openWithCallersClient === undefined) {
      return "takes no client of the caller's";
    }
    const declared = check.subject === "driver" ? driverCapabilities : factoryCapabilities;
    for (const [name, value] of Object.entries(wanted)) {
      const actual = declared?.[name as keyof CheckRequirements & keyof typeof declared];
      if (actual !== value) return `${name}: ${String(actual)}`;
    }
    return undefined;
  }

  const judged = conformanceChecks.map((check) => ({ check, reason: reasonAgainst(check) }));

  async function runOnce(check: Check, losses: LinkLosses): Promise<void> {
    const cleanUps: (() => Promise<void>)[] = [];
    let broken: BrokerFaults | undefined;
    const settings = {
      patience,
      prefix: `conformance-${run}-${runs++}-`,
      losses,
      useFaults() {
        broken = target.faults;
        return broken;
      },
      afterwards: (cleanUp: () => Promise<void>) => void cleanUps.push(cleanUp),
    };

    function start(): Promise<void> {
      if (check.subject === "driver") {
        if (openDriver === undefined || driverCapabilities === undefined) {
          throw new SyncError("sync-core", `${check.id} needs a driver`, "run those in `checks`");
        }
        const capabilities = driverCapabilities;
        return check.run(createDriverContext({ ...settings, capabilities, openDriver }));
      }
      return check.run(
        createFactoryContext({
          ...settings,
          capabilities: factoryCapabilities,
          openFactory: openAnyFactory,
          openDriver,
          openWithCallersClient,
        }),
      );
    }

    try {
      // Begun once the limit's own timer runs: some checks count what is open.
      const running = Promise.resolve().then(start);
      await settles(running, patience * WAITS, "the check did not come to its end");
    } finally {
      // How well things close is for the lifecycle checks to say; here they only have to be gone.
      await Promise.allSettled(
        [...cleanUps, async () => broken?.heal()].map((cleanUp) =>
          settles(cleanUp(), patience, "closing did not settle"),
        ),
      );
    }
  }

  return {
    title: target.broker === undefined ? target.name : `${target.name} on ${target.broker}`,
    driverCapabilities,
    factoryCapabilities,
    checks: judged.filter(({ reason }) => reason === undefined).map(({ check }) => check),
    inapplicable: judged.flatMap(({ check, reason }) =>
      reason === undefined ? [] : [{ check, reason }],
    ),
    timeout: patience * (WAITS + 2) * MAX_RUNS,
    async run(check) {
      for (let count = 1; ; count++) {
        const losses = createLinkLosses();
        try {
          await runOnce(check, losses);
          return;
        } catch (cause) {
          if (losses.first === undefined) throw cause;
          if (count === MAX_RUNS) {
            throw new ConformanceError(
              `${describeCause(cause)}; in each of ${MAX_RUNS} runs a link was lost that nothing had broken (${losses.first})`,
              { cause },
            );
          }
          onLinkLost(check, losses.first);
        }
      }
    },
    async close() {
      await settles(closeTarget(target), patience, `the target ${target.name} did not close`);
    },
  };
}

/** What a capability may be; one that is misspelt would else leave its checks out. */
const VALUES = {
  ordering: ["channel", "none"],
  echo: ["always", "never"],
  delivery: ["at-most-once", "at-least-once"],
  recovery: ["automatic", "none"],
} satisfies Readonly<Record<string, readonly string[]>>;

/** @throws SyncError for a value that no check knows. */
function assertKnown(name: string, declared: Readonly<Record<string, unknown>>): void {
  for (const [capability, values] of Object.entries(VALUES)) {
    const value = declared[capability];
    if (!(capability in declared) || values.some((known) => known === value)) continue;
    throw new SyncError(
      "sync-core",
      `${name} declares \`${capability}: ${JSON.stringify(value)}\``,
      `use one of ${values.map((known) => JSON.stringify(known)).join(", ")}`,
    );
  }
}

/** The target's functions, which may be methods. */
function bound(
  target: ConformanceTarget,
): Pick<ConformanceTarget, "openDriver" | "openFactory" | "openWithCallersClient"> {
  return {
    ...(target.openDriver && { openDriver: target.openDriver.bind(target) }),
    ...(target.openFactory && { openFactory: target.openFactory.bind(target) }),
    ...(target.openWithCallersClient && {
      openWithCallersClient: target.openWithCallersClient.bind(target),
    }),
  };
}

/** @throws SyncError if there is no driver either. */
function factoryAround(
  name: string,
  openDriver: ConformanceTarget["openDriver"],
): NonNullable<ConformanceTarget["openFactory"]> {
  if (openDriver !== undefined) {
    return async (options, way) => createSyncTransportFactory(await openDriver(way), options);
  }
  throw new SyncError(
    "sync-core",
    `the conformance target ${name} opens nothing`,
    "give it `openDriver`, `openFactory`, or both",
  );
}

async function declaredByDriver(
  openDriver: (way: Way) => Promise<SyncDriver>,
): Promise<DriverCapabilities> {
  const driver = await openDriver("direct");
  // A copy: what is read from the connection may be gone with it.
  const { ordering, echo, delivery, recovery, maxPayload } = driver.capabilities;
  driver.watch(() => {});
  await driver.close();
  return { ordering, echo, delivery, recovery, maxPayload };
}

/** What a factory made by `createSyncTransportFactory` has, and a hand-written one may have. */
async function declaredByFactory(
  openFactory: (options: FactoryOptions, way: Way) => Promise<ServerSyncTransportFactory>,
): Promise<FactoryCapabilities> {
  const options = { keyPrefix: "conformance:", context: undefined, logger: silentLogger };
  const factory = await openFactory(options, "direct");
  const declared =
    "capabilities" in factory ? (factory.capabilities as Partial<FactoryCapabilities>) : {};
  const {
    ordering = STRICTEST.ordering,
    delivery = STRICTEST.delivery,
    recovery = STRICTEST.recovery,
  } = declared;
  await factory.close();
  return { ordering, delivery, recovery };
}
