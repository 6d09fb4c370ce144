import { defineConfig } from "vitest/config";

// Packages resolve each other from source, so tests need no build.
const conditions = ["@teleportal/source", "node", "development|production"];

/** These start brokers, servers or browsers of their own. */
const WITH_PROCESSES = [
  "apps/*/test/**/*.test.ts",
  "packages/sync-{redis,nats,google-pubsub}/test/**/*.test.ts",
  "packages/teleportal/test/{brokers,faults,soak}/**/*.test.ts",
  "packages/teleportal/test/server/{serve,specification}.test.ts",
  "packages/test-brokers/test/**/*.test.ts",
  "test/packed/*.test.ts",
];

/** These keep the processor busy for a minute, and would make the others late. */
const WITH_EDITORS = ["packages/test-editors/test/**/*.test.ts"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    maxConcurrency: 3,
    projects: [
      {
        extends: true,
        test: {
          name: "in process",
          include: ["test/*.test.ts", "packages/*/test/**/*.test.ts"],
          exclude: [...WITH_PROCESSES, ...WITH_EDITORS],
          // The longest of these do little but wait.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "with processes",
          include: WITH_PROCESSES,
          // One file at a time: a broker that starves looks dead.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "with editors",
          include: WITH_EDITORS,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
