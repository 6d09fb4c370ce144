import { METRICS, ROUND_TRIPS } from "./metrics.ts";
import type { InstanceSnapshot } from "./snapshot.ts";

/** Of the text below. */
export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** All metrics in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats). */
export function prometheusText(snapshot: InstanceSnapshot): string {
  const lines: string[] = [];
  for (const { name, type, help, read } of METRICS) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${read(snapshot)}`);
  }
  const { buckets, count, sum } = snapshot.roundTrips;
  const { name, help } = ROUND_TRIPS;
  lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} histogram`);
  for (const bucket of buckets) {
    lines.push(`${name}_bucket{le="${bucket.atMost / 1000}"} ${bucket.count}`);
  }
  lines.push(`${name}_bucket{le="+Inf"} ${count}`, `${name}_sum ${sum / 1000}`);
  lines.push(`${name}_count ${count}`);
  return `${lines.join("\n")}\n`;
}
