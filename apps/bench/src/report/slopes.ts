import type { Results } from "../results.ts";
import { slope } from "../statistics.ts";
import { placesOf, spread } from "./comparison.ts";
import { numberText } from "./number-text.ts";
import { table } from "./table.ts";

function signed(value: number): string {
  const digits = Math.abs(value) < 10 ? 2 : 0;
  return `${value < 0 ? "−" : "+"}${numberText(Math.abs(value), digits)}`;
}

/** How each cost grows: from the least to the greatest place, and by how much per step. */
export function slopeTable(results: Results): string | undefined {
  const rows: string[][] = [];
  for (const { name: workload, axis, metrics } of results.workloads) {
    const step = axis?.step;
    if (step === undefined) continue;
    for (const [metric, { title, digits }] of Object.entries(metrics)) {
      const cells = results.contenders.map(({ name }) => {
        const points = placesOf(results, workload).flatMap((at) => {
          const value = spread(results, name, { workload, metric, at });
          return at === undefined || value === undefined ? [] : [{ x: at, y: value.median }];
        });
        const [first, last] = [points[0], points.at(-1)];
        if (first === undefined || last === undefined || first === last) return "–";
        const from = numberText(first.y, digits);
        const to = numberText(last.y, digits);
        return `${from} → ${to}; ${signed(slope(points) * step.by)}`;
      });
      rows.push([`${title}; per ${step.title}`, ...cells]);
    }
  }
  if (rows.length === 0) return undefined;
  return table(["", ...results.contenders.map(({ title }) => title)], rows);
}
