import { defineConfig } from "vitest/config";

// Packages resolve each other from source, so tests need no build.
const conditions = ["@teleportal/source", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts"],
    // Most tests wait for brokers and timers, not for the processor.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
