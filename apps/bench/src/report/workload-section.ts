import type { Contender } from "../contender.ts";
import type { Results } from "../results.ts";
import type { Metric } from "../workloads/workload.ts";
import { compare, hasFailed, placesOf, spread } from "./comparison.ts";
import { numberText, spreadText, timesText } from "./number-text.ts";
import { table } from "./table.ts";

type Described = Results["workloads"][number];

const FAILED = "**FAILED**";

/** Those who took part, in the order of the contenders. */
function participants({ contenders, runs }: Results, workload: string): readonly Contender[] {
  const names = new Set(
    runs.filter((run) => run.workload === workload).map(({ contender }) => contender),
  );
  return contenders.filter(({ name }) => names.has(name));
}

function deliveryText(results: Results, workload: string, contender: string): string {
  const reason = hasFailed(results, contender, workload);
  if (reason !== undefined) return `${FAILED}: ${reason}`;
  let sent = 0;
  for (const run of results.runs) {
    if (run.workload !== workload || run.contender !== contender || run.type === "failed") continue;
    sent += run.measurement.sent;
  }
  return `0 of ${numberText(sent, 0)} not delivered, all equal`;
}

function plain(results: Results, workload: Described): string {
  const metrics = Object.entries(workload.metrics);
  const taking = participants(results, workload.name);
  const valueOf = (contender: string, metric: string, { digits }: Metric): string => {
    const value = spread(results, contender, { workload: workload.name, metric });
    if (value !== undefined) return spreadText(value, digits);
    return hasFailed(results, contender, workload.name) === undefined ? "–" : FAILED;
  };
  const values = table(
    ["", ...metrics.map(([, { title }]) => title)],
    taking.map(({ name, title }) => [
      title,
      ...metrics.map(([metric, described]) => valueOf(name, metric, described)),
    ]),
  );
  const compared = metrics.filter(([, { compared }]) => compared);
  const bases: Base[] = [
    ...(taking.some(({ role }) => role === "relay")
      ? [{ title: "raw relay", of: ({ relay }: Contender) => relay }]
      : []),
    ...taking
      .filter(({ role }) => role === "peer")
      .map((peer) => ({ title: shortTitle(peer), of: () => peer.name })),
  ];
  const ratios = table(
    ["", ...bases.flatMap((base) => compared.map(([metric]) => `${metric}, × ${base.title}`))],
    taking.map((contender) => [
      contender.title,
      ...bases.flatMap((base) =>
        compared.map(([metric]) => {
          const other = base.of(contender);
          if (other === contender.name) return "1";
          const place = { workload: workload.name, metric };
          const ratio = compare(results, contender.name, other, place);
          return ratio === undefined ? "–" : timesText(ratio);
        }),
      ),
    ]),
  );
  return bases.length === 0 || compared.length === 0 ? values : `${values}\n\n${ratios}`;
}

/** What contenders are compared with, each with its own. */
interface Base {
  readonly title: string;
  of(contender: Contender): string;
}

function shortTitle({ title }: Contender): string {
  return title.split(",")[0] ?? title;
}

function along(results: Results, workload: Described): string {
  const taking = participants(results, workload.name);
  const hasRelay = taking.some(({ role }) => role === "relay");
  return Object.entries(workload.metrics)
    .map(([metric, { title, digits, compared }]) => {
      const rows = placesOf(results, workload.name).map((at) => [
        at === undefined ? "" : numberText(at, 0),
        ...taking.map(({ name, relay }) => {
          const place = { workload: workload.name, metric, at };
          const value = spread(results, name, place);
          if (value === undefined) {
            return hasFailed(results, name, workload.name, at) === undefined ? "–" : FAILED;
          }
          const text = spreadText(value, digits);
          if (relay === name || !compared) return text;
          const ratio = compare(results, name, relay, place);
          return ratio === undefined ? text : `${text}; ${timesText(ratio)}`;
        }),
      ]);
      const head = [workload.axis?.title ?? "", ...taking.map((contender) => contender.title)];
      return `**${title}**${hasRelay && compared ? " (behind it: × the raw relay)" : ""}\n\n${table(head, rows)}`;
    })
    .join("\n\n");
}

/** A workload's tables, and what was not delivered. */
export function workloadSection(results: Results, workload: Described): string {
  const notes = new Map<string, string>();
  for (const run of results.runs) {
    if (run.workload !== workload.name || run.type === "failed") continue;
    if (run.measurement.note !== undefined) notes.set(run.contender, run.measurement.note);
  }
  const delivered = participants(results, workload.name).map(({ name, title }) => {
    const note = notes.get(name);
    const text = deliveryText(results, workload.name, name);
    return `- ${title}: ${text}${note === undefined ? "" : `; ${note}`}`;
  });
  return [
    `### ${workload.name}`,
    `${workload.title.charAt(0).toUpperCase()}${workload.title.slice(1)}.`,
    workload.axis === undefined ? plain(results, workload) : along(results, workload),
    delivered.join("\n"),
  ].join("\n\n");
}
