import type { DriverCapabilities } from "../contract/driver.ts";
import type { DriverContext } from "./driver-context.ts";
import type { FactoryContext } from "./factory-context.ts";

/** As in RFC 2119. Only a failed MUST makes an adapter unfit; a failed SHOULD needs a reason; a MAY is a courtesy. */
export type CheckLevel = "MUST" | "SHOULD" | "MAY";

/** What a check needs to have a meaning; without it, it is left out of the report's verdict. */
export interface CheckRequirements extends Partial<
  Pick<DriverCapabilities, "ordering" | "echo" | "delivery" | "recovery">
> {
  /** What the target has to bring beside a way to open what is checked. */
  readonly target?: "callersClient" | "openDriver";
}

interface CheckDescription {
  /** `area/name`: stable, so that reports can be compared. */
  readonly id: `${string}/${string}`;
  readonly level: CheckLevel;
  /** What holds if it passes, as a sentence. */
  readonly title: string;
  readonly requires: CheckRequirements;
}

/** Looks at a `SyncDriver`: bytes on channels. */
export interface DriverCheck extends CheckDescription {
  readonly subject: "driver";
  /** Resolves if the check passes; rejects with what is wrong. */
  run(context: DriverContext): Promise<void>;
}

/** Looks at a `ServerSyncTransportFactory`: messages of documents. */
export interface FactoryCheck extends CheckDescription {
  readonly subject: "factory";
  /** Resolves if the check passes; rejects with what is wrong. */
  run(context: FactoryContext): Promise<void>;
}

export type Check = DriverCheck | FactoryCheck;

/** What an adapter does not do, although a check asks for it. */
export class ConformanceError extends Error {
  override readonly name = "ConformanceError";
}
