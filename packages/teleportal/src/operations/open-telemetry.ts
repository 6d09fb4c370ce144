import { METRICS } from "./metrics.ts";
import type { Metric } from "./metrics.ts";
import type { InstanceSnapshot } from "./snapshot.ts";

/** What is used of `@opentelemetry/api`; its types are not needed to build against this package. */
interface Observable {
  addCallback(observe: (result: { observe(value: number): void }) => void): void;
  removeCallback(observe: (result: { observe(value: number): void }) => void): void;
}

interface Meter {
  createObservableCounter(name: string, options: { description: string }): Observable;
  createObservableGauge(name: string, options: { description: string }): Observable;
}

interface OpenTelemetryApi {
  readonly metrics: { getMeter(name: string): Meter };
}

/**
 * Reports an instance's metrics to OpenTelemetry, under the names that `/metrics` has, if `@opentelemetry/api` is installed.
 * Whatever SDK the process has registered with it takes them from there.
 *
 * @returns what ends that; `undefined` if the package is not installed.
 */
export async function reportToOpenTelemetry(
  snapshot: () => InstanceSnapshot,
): Promise<(() => void) | undefined> {
  const api = await importApi();
  if (api === undefined) return undefined;
  const meter = api.metrics.getMeter("teleportal");
  const ends = METRICS.map((metric) => observe(meter, metric, snapshot));
  return () => {
    for (const end of ends) end();
  };
}

function observe(meter: Meter, metric: Metric, snapshot: () => InstanceSnapshot): () => void {
  const options = { description: metric.help };
  const observable =
    metric.type === "counter"
      ? meter.createObservableCounter(metric.name, options)
      : meter.createObservableGauge(metric.name, options);
  const read = (result: { observe(value: number): void }): void => {
    result.observe(metric.read(snapshot()));
  };
  observable.addCallback(read);
  return () => observable.removeCallback(read);
}

async function importApi(): Promise<OpenTelemetryApi | undefined> {
  try {
    return await import("@opentelemetry/api");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
