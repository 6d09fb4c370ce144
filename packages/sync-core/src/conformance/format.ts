import type { CheckResult, ConformanceReport } from "./report.ts";

const MARKS = { passed: "✓", failed: "✗", "not-applicable": "–" } satisfies Record<
  CheckResult["outcome"],
  string
>;

/** What the adapter declares, in words: `ordering channel, echo always, …`. */
export function formatCapabilities(report: ConformanceReport): string {
  const { driverCapabilities, factoryCapabilities } = report;
  const { ordering, delivery, recovery } = factoryCapabilities;
  return [
    `ordering ${ordering}`,
    ...(driverCapabilities === undefined ? [] : [`echo ${driverCapabilities.echo}`]),
    `delivery ${delivery}`,
    `recovery ${recovery}`,
    ...(driverCapabilities === undefined
      ? []
      : [`at most ${driverCapabilities.maxPayload} bytes a publish`]),
  ].join(", ");
}

/** The verdict in one line. */
export function formatVerdict(report: ConformanceReport): string {
  const counts = `${report.passed} passed, ${report.failed} failed, ${report.notApplicable} not applicable`;
  if (!report.conformant) return `${counts}: NOT conformant, a MUST has failed`;
  if (!report.complete) return `${counts}: no MUST has failed among the checks that were chosen`;
  return report.failed === 0
    ? `${counts}: conformant`
    : `${counts}: conformant, but for what SHOULD or MAY hold`;
}

/** For a terminal: a line per area, and what has failed in full. */
export function formatText(report: ConformanceReport): string {
  const lines = [titleOf(report), `  ${formatCapabilities(report)}`, ""];
  for (const [area, results] of byArea(report)) {
    const applicable = results.filter(({ outcome }) => outcome !== "not-applicable");
    const failed = applicable.filter(({ outcome }) => outcome === "failed");
    const passed = applicable.length - failed.length;
    const mark = failed.length > 0 ? MARKS.failed : applicable.length > 0 ? MARKS.passed : "–";
    lines.push(`  ${mark} ${area.padEnd(14)} ${passed} of ${applicable.length}`);
    for (const result of failed) {
      lines.push(`      ${MARKS.failed} ${result.level} ${result.id}: ${result.title}`);
      if (result.outcome === "failed") lines.push(`        ${result.error}`);
    }
  }
  return [...lines, "", formatVerdict(report), ""].join("\n");
}

/** Every check with its outcome, as a Markdown document. */
export function formatMarkdown(report: ConformanceReport): string {
  const lines = [
    `# Conformance of ${titleOf(report)}`,
    "",
    `${formatVerdict(report)}.`,
    "",
    `It declares: ${formatCapabilities(report)}.`,
    "",
    "|     | check | level | what holds |",
    "| --- | ----- | ----- | ---------- |",
  ];
  for (const result of report.results) {
    const note =
      result.outcome === "failed"
        ? ` **${escape(result.error)}**`
        : result.outcome === "not-applicable"
          ? ` _(not applicable: ${escape(result.reason)})_`
          : "";
    lines.push(
      `| ${MARKS[result.outcome]} | \`${result.id}\` | ${result.level} | ${escape(result.title)}${note} |`,
    );
  }
  return [...lines, ""].join("\n");
}

/** The results by the area that is the first half of their id, in the order of the areas' first checks. */
export function byArea(report: ConformanceReport): ReadonlyMap<string, readonly CheckResult[]> {
  const areas = new Map<string, CheckResult[]>();
  for (const result of report.results) {
    const area = result.id.split("/", 1)[0] ?? "";
    areas.set(area, [...(areas.get(area) ?? []), result]);
  }
  return areas;
}

function titleOf({ target, broker }: ConformanceReport): string {
  return broker === undefined ? target : `${target} on ${broker}`;
}

function escape(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
