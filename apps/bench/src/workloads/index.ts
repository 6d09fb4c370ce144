import { bursts, oneByOne } from "./cpu.ts";
import { documentSize } from "./document-size.ts";
import { documents } from "./documents.ts";
import { idle } from "./idle.ts";
import { instances } from "./instances.ts";
import { lateJoin } from "./late-join.ts";
import { latency } from "./latency.ts";
import { readers } from "./readers.ts";
import { typedAndErased } from "./typed-and-erased.ts";
import { wire } from "./wire.ts";
import type { Workload } from "./workload.ts";

export const workloads: readonly Workload[] = [
  oneByOne,
  bursts,
  latency,
  wire,
  readers,
  documents,
  documentSize,
  instances,
  lateJoin,
  typedAndErased,
  idle,
];
