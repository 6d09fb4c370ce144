export { ConformanceError } from "./check.ts";
export type { Check, CheckLevel, CheckRequirements, DriverCheck, FactoryCheck } from "./check.ts";
export { conformanceChecks, openConformance } from "./conformance.ts";
export type { Conformance, OpenConformanceOptions } from "./conformance.ts";
export type { DriverContext, DriverInstance, Inbox } from "./driver-context.ts";
export type {
  FactoryCapabilities,
  FactoryContext,
  FactoryInstance,
  TransportProbe,
} from "./factory-context.ts";
export { runConformance } from "./report.ts";
export type { CheckResult, ConformanceReport, RunConformanceOptions } from "./report.ts";
export type {
  BrokerFaults,
  CallersClient,
  ConformanceTarget,
  FactoryOptions,
  Way,
} from "./target.ts";
export { openLink } from "./link.ts";
export type { Link } from "./link.ts";
