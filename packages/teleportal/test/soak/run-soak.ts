import { startRedis } from "@teleportal/test-brokers";
import { startInstanceProcess } from "./instance-process.ts";
import { soakCycle } from "./soak-cycle.ts";
import type { SoakCycle, SoakCycleSettings } from "./soak-cycle.ts";

export interface SoakSettings extends Omit<SoakCycleSettings, "seed"> {
  readonly seed: number;
  readonly cycles: number;
  onCycle?(cycle: SoakCycle, index: number): void;
}

/** Two instances on a Redis of their own, through several cycles. */
export async function runSoak(settings: SoakSettings): Promise<readonly SoakCycle[]> {
  const { seed, cycles, onCycle, ...cycle } = settings;
  await using broker = await startRedis();
  await using a = await startInstanceProcess(broker.port);
  await using b = await startInstanceProcess(broker.port);
  const done: SoakCycle[] = [];
  for (let index = 0; index < cycles; index++) {
    const result = await soakCycle(broker, [a, b], { ...cycle, seed: seed + index });
    done.push(result);
    onCycle?.(result, index);
  }
  return done;
}

/** By how much what the instances hold at rest has grown since the first cycle, which has compiled and cached. */
export function growthSinceFirst(cycles: readonly SoakCycle[]): {
  readonly memory: number;
  readonly handles: number;
} {
  const growth = (of: "memory" | "handles"): number =>
    Math.max(
      ...(cycles.at(-1)?.holdings ?? []).map(
        (last, index) => last[of] - (cycles[0]?.holdings[index]?.[of] ?? 0),
      ),
    );
  return { memory: growth("memory"), handles: growth("handles") };
}
