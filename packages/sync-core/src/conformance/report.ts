import { describeCause } from "../sync-error.ts";
import type { DriverCapabilities } from "../contract/driver.ts";
import type { Check, CheckLevel } from "./check.ts";
import { conformanceChecks, openConformance } from "./conformance.ts";
import type { OpenConformanceOptions } from "./conformance.ts";
import type { FactoryCapabilities } from "./factory-context.ts";
import { guardAgainstStrayErrors } from "./stray-errors.ts";
import type { ConformanceTarget } from "./target.ts";

/** What came of one check. */
export type CheckResult = {
  readonly id: Check["id"];
  readonly subject: Check["subject"];
  readonly level: CheckLevel;
  readonly title: string;
} & (
  | { readonly outcome: "passed"; readonly milliseconds: number }
  | { readonly outcome: "failed"; readonly milliseconds: number; readonly error: string }
  | { readonly outcome: "not-applicable"; readonly reason: string }
);

/** What came of all of them. Plain data. */
export interface ConformanceReport {
  readonly target: string;
  readonly broker: string | undefined;
  readonly driverCapabilities: DriverCapabilities | undefined;
  readonly factoryCapabilities: FactoryCapabilities;
  /** Nothing was left out by `select`. */
  readonly complete: boolean;
  /** No MUST has failed, among those that were run. */
  readonly conformant: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly notApplicable: number;
  readonly results: readonly CheckResult[];
}

export interface RunConformanceOptions {
  /** Runs only the checks for which this holds. @default all */
  readonly select?: (check: Check) => boolean;
  /** Called before each check, with how many there are. */
  readonly onCheck?: (check: Check, index: number, count: number) => void;
  readonly onResult?: (result: CheckResult) => void;
  /** See `openConformance`. */
  readonly onLinkLost?: OpenConformanceOptions["onLinkLost"];
}

/**
 * Runs the checks one after the other, closes the target, and tells what came of it.
 *
 * @throws whatever the target throws at its opening: then nothing was checked.
 */
export async function runConformance(
  target: ConformanceTarget,
  options: RunConformanceOptions = {},
): Promise<ConformanceReport> {
  const { select = () => true, onCheck, onResult, onLinkLost } = options;
  const conformance = await openConformance(target, onLinkLost && { onLinkLost });
  const results: CheckResult[] = conformance.inapplicable
    .filter(({ check }) => select(check))
    .map(({ check, reason }) => ({ ...described(check), outcome: "not-applicable", reason }));
  const selected = conformance.checks.filter(select);
  const strayErrors = guardAgainstStrayErrors();
  try {
    for (const [index, check] of selected.entries()) {
      onCheck?.(check, index, selected.length);
      const started = performance.now();
      const failure = await strayErrors
        .during(() => conformance.run(check))
        .then(
          () => undefined,
          (cause: unknown) => ({ cause }),
        );
      const milliseconds = Math.round(performance.now() - started);
      const result: CheckResult =
        failure === undefined
          ? { ...described(check), outcome: "passed", milliseconds }
          : {
              ...described(check),
              outcome: "failed",
              milliseconds,
              error: describeCause(failure.cause),
            };
      results.push(result);
      onResult?.(result);
    }
  } finally {
    await conformance.close();
    strayErrors.end();
  }
  const count = (outcome: CheckResult["outcome"]): number =>
    results.filter((result) => result.outcome === outcome).length;
  return {
    target: target.name,
    broker: target.broker,
    driverCapabilities: conformance.driverCapabilities,
    factoryCapabilities: conformance.factoryCapabilities,
    complete: results.length === conformanceChecks.length,
    conformant: !results.some(({ outcome, level }) => outcome === "failed" && level === "MUST"),
    passed: count("passed"),
    failed: count("failed"),
    notApplicable: count("not-applicable"),
    results,
  };
}

function described({ id, subject, level, title }: Check) {
  return { id, subject, level, title };
}
