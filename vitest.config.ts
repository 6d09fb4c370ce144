import { defineConfig } from "vitest/config";

// Packages resolve each other from source, so tests need no build.
const conditions = ["@teleportal/source", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/*.test.ts", "packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts"],
    // Each starts brokers and servers of its own, and what starves looks dead to the others.
    maxWorkers: 2,
    maxConcurrency: 3,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
