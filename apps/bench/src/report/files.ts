import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { contenders } from "../contender.ts";
import type { Results } from "../results.ts";
import { svgOf } from "./chart.ts";
import { chartsOf } from "./charts.ts";
import { reportOf } from "./report.ts";

const RESULTS = "results.json";

/** More digits than a measurement has. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(6)) : value;
}

export async function writeReport(directory: string, results: Results): Promise<void> {
  const charts = chartsOf(results);
  await mkdir(directory, { recursive: true });
  await Promise.all([
    writeFile(join(directory, RESULTS), `${JSON.stringify(results, rounded, 2)}\n`),
    writeFile(join(directory, "README.md"), reportOf(results, charts)),
    ...charts.map((chart) => writeFile(join(directory, chart.file), svgOf(chart))),
  ]);
}

export function readResults(directory: string): Results {
  const file = join(directory, RESULTS);
  try {
    const results = JSON.parse(readFileSync(file, "utf8")) as Results;
    // Which relay each is compared with is not said in older ones.
    const complete = results.contenders.map((each) => ({
      ...contenders.find(({ name }) => name === each.name),
      ...each,
    }));
    return { ...results, contenders: complete };
  } catch (cause) {
    throw new Error(`[bench] ${file} cannot be read: measure with --output ${directory} first`, {
      cause,
    });
  }
}
