import { metrics } from "@opentelemetry/api";
import { reportToOpenTelemetry } from "teleportal";
import { expect, test, vi } from "vitest";
import { startInstance } from "../server/start-instance.ts";

type Observe = (result: { observe(value: number): void }) => void;

test("every metric of /metrics is reported under its name, until it is ended", async () => {
  const { server } = await startInstance();
  const observed = new Map<string, Observe>();
  const observable = (name: string) => ({
    addCallback: (observe: Observe) => observed.set(name, observe),
    removeCallback: (observe: Observe) => {
      if (observed.get(name) === observe) observed.delete(name);
    },
  });
  const meter = {
    createObservableCounter: vi.fn(observable),
    createObservableGauge: vi.fn(observable),
  };
  vi.spyOn(metrics, "getMeter").mockReturnValue(
    meter as unknown as ReturnType<typeof metrics.getMeter>,
  );
  const end = await reportToOpenTelemetry(() => server.snapshot());
  const values = new Map<string, number>();
  for (const [name, observe] of observed) {
    observe({ observe: (value) => void values.set(name, value) });
  }
  expect(values.get("teleportal_clients")).toBe(0);
  expect(values.get("teleportal_broker_connected")).toBe(1);
  expect(values.size).toBeGreaterThan(20);
  end?.();
  expect(observed.size).toBe(0);
});
