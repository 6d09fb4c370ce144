/**
 * `npm run conformance`: runs the conformance suite over every adapter, and writes what came of it: a table into the
 * README, and every check into each package's CONFORMANCE.md.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root, run, setUp } from "./setup.js";

const BEGIN = "<!-- conformance: written by npm run conformance -->";
const END = "<!-- /conformance -->";

/** Each adapter's targets; a package with several has a page of each. */
const TARGETS = [
  { folder: "sync-memory", target: "test/conformance-target.ts", page: "CONFORMANCE.md" },
  { folder: "sync-redis", target: "test/conformance/redis-target.ts", page: "CONFORMANCE.md" },
  {
    folder: "sync-redis",
    target: "test/conformance/redis-cluster-target.ts",
    page: "CONFORMANCE-CLUSTER.md",
  },
  { folder: "sync-nats", target: "test/conformance/nats-target.ts", page: "CONFORMANCE.md" },
  {
    folder: "sync-google-pubsub",
    target: "test/conformance/google-pubsub-target.ts",
    page: "CONFORMANCE.md",
  },
];

setUp();
const COMMAND = join(root, "packages/sync-core/test/conformance/run-command.ts");
const columns = TARGETS.map(({ folder, target, page }) => {
  const file = join(root, "packages", folder, page);
  const json = join(root, "node_modules", ".conformance.json");
  console.log(`\n── ${folder}: ${target}`);
  const status = run(
    process.execPath,
    ["--import", "tsx", "--conditions=@teleportal/source", COMMAND].concat(
      [join(root, "packages", folder, target), "--strict"],
      ["--markdown", file, "--json", json],
    ),
  );
  if (status !== 0) throw new Error(`[conformance] ${folder} does not conform: see above`);
  return { link: `packages/${folder}/${page}`, report: JSON.parse(readFileSync(json, "utf8")) };
});

const areas = [
  ...new Set(columns.flatMap(({ report }) => report.results.map(({ id }) => id.split("/")[0]))),
];

/** A line of the table: what it is about, and what is to be said of each adapter. */
function row(name, say) {
  return `| ${name} | ${columns.map(say).join(" | ")} |`;
}

function passedIn(area, { results }) {
  const there = results.filter(({ id }) => id.startsWith(`${area}/`));
  const applicable = there.filter(({ outcome }) => outcome !== "not-applicable");
  const passed = applicable.filter(({ outcome }) => outcome === "passed");
  return applicable.length === 0 ? "–" : `${passed.length} of ${applicable.length}`;
}

const table = [
  row("", ({ report, link }) => `[${report.target}](${link})`),
  row("---", () => "---"),
  row("run on", ({ report }) => report.broker ?? "this process"),
  row("order", ({ report }) => report.driverCapabilities.ordering),
  row("hears itself", ({ report }) => report.driverCapabilities.echo),
  row("delivery", ({ report }) => report.driverCapabilities.delivery),
  row("recovery", ({ report }) => report.driverCapabilities.recovery),
  ...areas.map((area) => row(`checks: ${area}`, ({ report }) => passedIn(area, report))),
  row("**all checks**", ({ report }) => `**${report.passed} of ${report.passed + report.failed}**`),
].join("\n");

const file = join(root, "README.md");
const readme = readFileSync(file, "utf8");
const [before, rest] = readme.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) {
  throw new Error(`[conformance] README.md has no ${BEGIN} … ${END}: put it back`);
}
writeFileSync(file, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`);
run("oxfmt", ["README.md", "packages/*/CONFORMANCE*.md"]);
console.log("\nEvery adapter conforms; README.md has the table.");
