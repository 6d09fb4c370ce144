export { createLog } from "./log.ts";
export { openTransport } from "./open-transport.ts";
export type { OpenTransport } from "./open-transport.ts";
export { reached } from "./status.ts";
export { update } from "./update.ts";
export { useBroker } from "./use-broker.ts";
