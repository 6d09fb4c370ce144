import type { Contender } from "../contender.ts";
import type { Results } from "../results.ts";
import { compare, hasFailed, placesOf, spread } from "./comparison.ts";
import type { Place, Spread } from "./comparison.ts";
import { spreadText, timesText } from "./number-text.ts";
import { table } from "./table.ts";

type Judgement =
  | { readonly type: "judged"; readonly met: boolean; readonly text: string }
  | { readonly type: "failed" }
  | { readonly type: "not measured" };

/** What was promised of ours, to be held against what was measured. */
interface Target {
  readonly promise: string;
  readonly workload: string;
  /** An emulator that polls says nothing of what the broker costs: then it is shown, and not judged. */
  readonly emulator: "judged" | "shown";
  judge(results: Results, contender: Contender): Judgement;
}

const NOT_MEASURED: Judgement = { type: "not measured" };

/** Holds at every place of the workload's axis, or at the only one; the worst is shown. */
function everywhere(
  options: Pick<Target, "promise" | "workload" | "emulator"> & {
    readonly metric: string;
    measure(results: Results, contender: Contender, place: Place): Spread | undefined;
    holds(value: number): boolean;
    /** @default the greatest */
    readonly worst?: "least" | "greatest";
    text(spread: Spread): string;
    readonly only?: "last";
  },
): Target {
  const { promise, workload, emulator, metric, measure, holds, text } = options;
  return {
    promise,
    workload,
    emulator,
    judge(results, contender) {
      const places = placesOf(results, workload);
      const chosen = options.only === "last" ? places.slice(-1) : places;
      if (hasFailed(results, contender.name, workload) !== undefined) return { type: "failed" };
      let worst: Spread | undefined;
      for (const at of chosen) {
        const found = measure(results, contender, { workload, metric, at });
        if (found === undefined) return NOT_MEASURED;
        const sign = options.worst === "least" ? -1 : 1;
        if (worst === undefined || sign * found.median > sign * worst.median) worst = found;
      }
      if (worst === undefined) return NOT_MEASURED;
      return { type: "judged", met: holds(worst.median), text: text(worst) };
    },
  };
}

function timesRelay(
  workload: string,
  metric: string,
  limit: number,
  promise: string,
  where: { readonly only?: "last" } = {},
): Target {
  return everywhere({
    ...where,
    promise,
    workload,
    metric,
    emulator: "shown",
    measure: (results, { name, relay }, place) => compare(results, name, relay, place),
    holds: (times) => times <= limit,
    text: timesText,
  });
}

function lessThanHocuspocus(workload: string, times: number, promise: string): Target {
  return everywhere({
    promise,
    workload,
    metric: "cpu",
    emulator: "shown",
    worst: "least",
    measure: (results, { name }, place) =>
      compare(results, name, "hocuspocus", place, (ours, theirs) => theirs / ours),
    holds: (less) => less >= times,
    text: (spread) => `${timesText(spread)} less`,
  });
}

function atMost(
  options: Pick<Target, "promise" | "workload"> & {
    readonly metric: string;
    readonly limit: number;
    readonly digits: number;
    readonly unit: string;
    readonly beyondRelay?: boolean;
    readonly emulator?: Target["emulator"];
    readonly only?: "last";
  },
): Target {
  const { promise, workload, metric, limit, digits, unit, emulator = "judged", only } = options;
  return everywhere({
    promise,
    workload,
    metric,
    emulator,
    ...(only === undefined ? {} : { only }),
    measure: (results, { name, relay }, place) =>
      options.beyondRelay
        ? compare(results, name, relay, place, (ours, theirs) => ours - theirs)
        : spread(results, name, place),
    holds: (value) => value <= limit,
    text: (spread) => `${spreadText(spread, digits)}${unit}`,
  });
}

const targets: readonly Target[] = [
  timesRelay("one-by-one", "cpu", 1.3, "one by one: CPU at most 1.3 × the raw relay's"),
  lessThanHocuspocus("one-by-one", 3, "one by one: CPU at least 3 × less than Hocuspocus's"),
  timesRelay("bursts", "cpu", 1, "bursts: CPU at most the raw relay's"),
  lessThanHocuspocus("bursts", 3, "bursts: CPU at least 3 × less than Hocuspocus's"),
  timesRelay("latency", "p50", 1.3, "latency: p50 at most 1.3 × the raw relay's"),
  timesRelay("latency", "p99", 1.3, "latency: p99 at most 1.3 × the raw relay's"),
  timesRelay(
    "readers",
    "cpu",
    1.3,
    "readers: CPU at most 1.3 × the raw relay's, with 500 on each instance",
    { only: "last" },
  ),
  atMost({
    promise: "one broker message per edit, at any number of instances (up to 1.1: heartbeats)",
    workload: "instances",
    metric: "messages",
    limit: 1.1,
    digits: 2,
    unit: "",
  }),
  atMost({
    promise: "at most 24 bytes on the wire above the client's frame",
    workload: "wire",
    metric: "overhead",
    limit: 24,
    digits: 1,
    unit: " bytes",
  }),
  atMost({
    promise: "idle: at most 16 KiB of heap per document beyond the socket",
    workload: "idle",
    metric: "heap",
    limit: 16,
    digits: 1,
    unit: " KiB",
    beyondRelay: true,
  }),
  atMost({
    promise: "idle: at most 16 KiB of resident memory per document beyond the socket",
    workload: "idle",
    metric: "rss",
    limit: 16,
    digits: 1,
    unit: " KiB",
    beyondRelay: true,
  }),
  atMost({
    promise: "idle: at most 4 ms to open a document",
    workload: "idle",
    metric: "open",
    limit: 4,
    digits: 2,
    unit: " ms",
  }),
  atMost({
    promise: "idle: at most 2 % of a core, both instances together",
    workload: "idle",
    metric: "cpu",
    limit: 2,
    digits: 2,
    unit: " %",
  }),
  atMost({
    promise: "idle: fewer than 20 broker messages a second",
    workload: "idle",
    metric: "messages",
    limit: 19.99,
    digits: 1,
    unit: "",
  }),
  atMost({
    promise: "late join: the event loop never stands still for more than 10 ms",
    workload: "late-join",
    metric: "blocked",
    limit: 10,
    digits: 1,
    unit: " ms",
  }),
  atMost({
    promise: "typed and erased: a download of at most 2 × the smallest encoding",
    workload: "typed-and-erased",
    metric: "download",
    limit: 2,
    digits: 2,
    unit: "×",
  }),
  atMost({
    promise: "typed and erased: memory flat (at most 10 bytes per keystroke)",
    workload: "typed-and-erased",
    metric: "growth",
    limit: 10,
    digits: 1,
    unit: " bytes",
    only: "last",
  }),
];

function cell(target: Target, contender: Contender, judgement: Judgement): string {
  if (judgement.type === "failed") return "**FAILED**";
  if (judgement.type === "not measured") return "–";
  if (contender.emulated && target.emulator === "shown") return `${judgement.text}, not judged`;
  return judgement.met ? `met: ${judgement.text}` : `**not met**: ${judgement.text}`;
}

/** Every target that was measured, and whether it was met. */
export function targetTable(results: Results): string {
  const ours = results.contenders.filter(({ role }) => role === "ours");
  const measured = targets.filter(({ workload }) =>
    results.workloads.some(({ name }) => name === workload),
  );
  return table(
    ["target", ...ours.map(({ title }) => title)],
    measured.map((target) => [
      target.promise,
      ...ours.map((contender) => cell(target, contender, target.judge(results, contender))),
    ]),
  );
}
