export { parseBrokerUrl } from "./broker-url.ts";
export type { BrokerUrl } from "./broker-url.ts";
export { inOwnProcess } from "./own-process.ts";
export { openStage } from "./open-stage.ts";
export type { Stage, StageSettings } from "./open-stage.ts";
export { runExample } from "./run-example.ts";
export type { Example, ExampleBroker } from "./run-example.ts";
export type { RunningInstance, StartInstance } from "./running-instance.ts";
