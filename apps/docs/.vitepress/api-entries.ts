/** What can be imported, in the order of the reference. */
export const API_ENTRIES = [
  "teleportal",
  "teleportal/server",
  "teleportal/storage",
  "@teleportal/sync-core",
  "@teleportal/sync-core/conformance",
  "@teleportal/sync-memory",
  "@teleportal/sync-redis",
  "@teleportal/sync-nats",
  "@teleportal/sync-google-pubsub",
] as const;
