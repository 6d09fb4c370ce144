import type { Results } from "../results.ts";
import type { Chart } from "./chart.ts";
import { slopeTable } from "./slopes.ts";
import { table } from "./table.ts";
import { targetTable } from "./targets.ts";
import { workloadSection } from "./workload-section.ts";

function environmentTable({ environment, date }: Results): string {
  return table(
    ["", ""],
    [
      ["date", date],
      ["processor", `${environment.cpu}, ${environment.cores} cores, ${environment.memory}`],
      ["system", environment.system],
      ["Node", `${environment.serverNode} (servers), ${environment.node} (clients)`],
      ["brokers", environment.brokers.join(", ")],
      ["packages", environment.packages.join(", ")],
    ],
  );
}

/** The report as Markdown. */
export function reportOf(results: Results, charts: readonly Chart[]): string {
  const { text, seed, rounds, scale, minutes, awareness, leftOut } = results;
  const slopes = slopeTable(results);
  const sections = [
    "# What was measured",
    "Written by `npm run bench`. How each number comes about, and what it does not say, is in " +
      "[the bench's README](../README.md); every single run is in [results.json](results.json).",
    environmentTable(results),
    `${rounds} rounds (long workloads fewer; short ones more, in parts), scale ${scale}, ${Math.round(minutes)} minutes. Typed: ${text}, ` +
      `\`--seed ${seed}\`.${awareness ? " Idle clients have a presence." : ""} A number is the median of its rounds, in ` +
      "brackets the least and the greatest. A ratio is taken within a round; then the median of those. " +
      "Everybody's servers, clients and broker share the processor. The Google Pub/Sub emulator polls: its " +
      "latency of about 50 ms and what it costs are the emulator's, and not judged.",
    ...leftOut.map((line) => `**Left out**: ${line}.`),
    "## Targets",
    targetTable(results),
    ...(charts.length === 0
      ? []
      : ["## Charts", ...charts.map(({ file, title }) => `![${title}](${file})`)]),
    "## Workloads",
    ...results.workloads.map((workload) => workloadSection(results, workload)),
    ...(slopes === undefined
      ? []
      : [
          "## How cost grows",
          "From the least to the greatest measured; then the slope of the line through all.",
          slopes,
        ]),
  ];
  return `${sections.join("\n\n")}\n`;
}
