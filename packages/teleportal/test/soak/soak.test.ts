import { findRedis, requireBroker } from "@teleportal/test-brokers";
import { describe, expect, it } from "vitest";
import { growthSinceFirst, runSoak } from "./run-soak.ts";

const MEBIBYTE = 1024 * 1024;

const redis = requireBroker("Redis", findRedis());

describe.skipIf(redis.skip)(`a thousand visitors, on a ${redis.title}`, () => {
  it(
    "who come, type and leave while the broker is restarted lose nothing, and leave nothing behind",
    { timeout: 300_000 },
    async () => {
      const cycles = await runSoak({
        seed: 1,
        cycles: 3,
        visitors: 150,
        documents: 40,
        duration: 6000,
      });
      for (const { lost, cutOff } of cycles)
        expect({ lost, cutOff }).toEqual({ lost: 0, cutOff: 0 });
      expect(cycles.reduce((sum, { visits }) => sum + visits, 0)).toBeGreaterThan(500);
      const { memory, handles } = growthSinceFirst(cycles);
      expect(handles).toBeLessThanOrEqual(0);
      expect(memory).toBeLessThan(8 * MEBIBYTE);
    },
  );
});
