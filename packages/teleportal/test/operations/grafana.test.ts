import { readFileSync } from "node:fs";
import { prometheusText } from "teleportal";
import { expect, test } from "vitest";
import { startInstance } from "../server/start-instance.ts";

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

/** What a metric is called in a query: a histogram by its parts. */
function namesIn(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, name = "", type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    if (type !== "histogram") names.add(name);
    else for (const part of ["bucket", "sum", "count"]) names.add(`${name}_${part}`);
  }
  return names;
}

test("the Grafana dashboard asks for every metric there is, and for none that is not", async () => {
  const { server } = await startInstance();
  const file = new URL("../../grafana/teleportal.json", import.meta.url);
  const { panels } = JSON.parse(readFileSync(file, "utf8")) as Dashboard;
  const asked = new Set<string>();
  for (const { targets } of panels) {
    for (const { expr } of targets) {
      for (const [name] of expr.matchAll(/teleportal_\w+/g)) asked.add(name);
    }
  }
  const there = namesIn(prometheusText(server.snapshot()));
  expect([...asked].sort()).toEqual([...there].sort());
});
