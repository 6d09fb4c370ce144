import type { Contender } from "../contender.ts";
import type { Results } from "../results.ts";
import { median } from "../statistics.ts";
import type { Chart, Series } from "./chart.ts";
import { hasFailed, placesOf, spread } from "./comparison.ts";

/** Okabe and Ito's colours, which the colour-blind can tell apart, and a shape for each. */
const LOOKS: Readonly<Record<string, Pick<Series, "color" | "symbol">>> = {
  relay: { color: "#7a7a7a", symbol: "circle" },
  "relay-nats": { color: "#b0b0b0", symbol: "emptyTriangle" },
  redis: { color: "#d55e00", symbol: "rect" },
  nats: { color: "#0072b2", symbol: "triangle" },
  "google-pubsub": { color: "#009e73", symbol: "diamond" },
  hocuspocus: { color: "#cc79a7", symbol: "emptyCircle" },
};

function seriesOf({ name, title }: Contender, points: Series["points"]): Series {
  return { title, ...(LOOKS[name] ?? { color: "#000000", symbol: "circle" }), points };
}

function latencyChart(results: Results): Chart {
  const series = results.contenders.map((contender) => {
    const curves = results.runs.flatMap((run) =>
      run.type === "measured" && run.workload === "latency" && run.contender === contender.name
        ? [run.measurement.curve ?? []]
        : [],
    );
    if (hasFailed(results, contender.name, "latency") !== undefined) return seriesOf(contender, []);
    const points = (curves[0] ?? []).map(({ percentile }, i) => {
      const values = curves.flatMap((curve) => curve[i]?.value ?? []);
      return [median(values), percentile] as const;
    });
    return seriesOf(contender, points);
  });
  return {
    file: "latency.svg",
    title: "Keystrokes that have arrived on the other instance",
    type: "line",
    x: { title: "within so many milliseconds (log)", type: "log" },
    y: { title: "% of the keystrokes", max: 100 },
    series,
  };
}

function barChart(
  results: Results,
  options: Pick<Chart, "file" | "title"> & {
    readonly y: string;
    readonly groups: readonly {
      readonly title: string;
      readonly workload: string;
      readonly metric: string;
    }[];
  },
): Chart {
  const { file, title, y, groups } = options;
  return {
    file,
    title,
    type: "bar",
    x: { title: "", type: "category" },
    y: { title: y },
    series: results.contenders.map((contender) =>
      seriesOf(
        contender,
        groups.flatMap((group) => {
          const value = spread(results, contender.name, group);
          return value === undefined ? [] : [[group.title, value.median] as const];
        }),
      ),
    ),
  };
}

function axisCharts(results: Results): Chart[] {
  return results.workloads.flatMap(({ name: workload, axis, metrics }) => {
    if (axis === undefined) return [];
    const charted = Object.entries(metrics).filter(([, { compared }]) => compared);
    return charted.map(([metric, { title }]): Chart => ({
      file: `${workload}-${metric}.svg`,
      title: `${workload}: ${title}`,
      type: "line",
      x: {
        title: axis.title,
        type: axis.scale === "log" ? "log" : "value",
      },
      y: { title: title.split(", ").at(-1) ?? title },
      series: results.contenders.map((contender) =>
        seriesOf(
          contender,
          placesOf(results, workload).flatMap((at) => {
            const value = spread(results, contender.name, { workload, metric, at });
            return at === undefined || value === undefined ? [] : [[at, value.median] as const];
          }),
        ),
      ),
    }));
  });
}

/** The charts of what was measured; contenders that have failed are not in them. */
export function chartsOf(results: Results): Chart[] {
  const has = (name: string): boolean => results.workloads.some((each) => each.name === name);
  const charts = [
    ...(has("one-by-one") || has("bursts")
      ? [
          barChart(results, {
            file: "cpu-per-keystroke.svg",
            title: "CPU of both instances per keystroke",
            y: "µs",
            groups: [
              { title: "one by one", workload: "one-by-one", metric: "cpu" },
              { title: "bursts of 32", workload: "bursts", metric: "cpu" },
            ],
          }),
        ]
      : []),
    ...(has("latency") ? [latencyChart(results)] : []),
    ...axisCharts(results),
    ...(has("idle")
      ? [
          barChart(results, {
            file: "idle-memory.svg",
            title: "Memory per idle document and instance, its client's socket included",
            y: "KiB",
            groups: [
              { title: "heap and external", workload: "idle", metric: "heap" },
              { title: "resident", workload: "idle", metric: "rss" },
            ],
          }),
        ]
      : []),
  ];
  return charts
    .map((chart) => ({ ...chart, series: chart.series.filter(({ points }) => points.length > 0) }))
    .filter(({ series }) => series.length > 0);
}
