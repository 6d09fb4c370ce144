export * from "./server/index.ts";
export { listen } from "./node/listen.ts";
export type { Listener, ListenOptions } from "./node/listen.ts";
export { attach } from "./node/attach.ts";
export type { AttachOptions } from "./node/attach.ts";
export { createOperations } from "./node/operations.ts";
export type { Operated, Operations, OperationsOptions } from "./node/operations.ts";
