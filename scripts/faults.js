/** `npm run faults`: breaks real deployments in every way, and writes what came of it into the README's table. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { root, run, setUp } from "./setup.js";

const BEGIN = "<!-- faults: written by npm run faults -->";
const END = "<!-- /faults -->";

setUp();
const folder = mkdtempSync(join(tmpdir(), "teleportal-faults-"));
const report = join(folder, "report.jsonl");
writeFileSync(report, "");
const status = run("vitest", ["run", "packages/teleportal/test/faults", "--maxConcurrency", "3"], {
  env: { FAULTS: "all", FAULTS_REPORT: report, REQUIRE_BROKERS: "1" },
});
const lines = readFileSync(report, "utf8").trim().split("\n").filter(Boolean);
rmSync(folder, { recursive: true });
if (status !== 0) {
  console.error("[faults] a keystroke was lost, see above: the README's table is left as it is");
  process.exit(1);
}

const results = lines.map((line) => JSON.parse(line));
const inOrder = (a, b) => a.localeCompare(b);
const brokers = [...new Set(results.map(({ broker }) => broker))].sort(inOrder);
const faults = [...new Set(results.map(({ title }) => title))].sort(inOrder);
const rows = faults.map((fault) => {
  const cells = brokers.map((name) => {
    const result = results.find(({ broker, title }) => broker === name && title === fault);
    return result === undefined ? "–" : `${(result.took / 1000).toFixed(1)} s`;
  });
  return `| ${fault} | ${cells.join(" | ")} |`;
});
const names = brokers.map((name) => name.replace(/^real /, ""));
const table = [
  `| everything everywhere after, on | ${names.join(" | ")} |`,
  `| --- |${" --- |".repeat(names.length)}`,
  ...rows,
].join("\n");

const file = join(root, "README.md");
const readme = readFileSync(file, "utf8");
const [before, rest] = readme.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined)
  throw new Error(`[faults] README.md has no ${BEGIN} … ${END}: put it back`);
writeFileSync(file, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`);
run("oxfmt", ["README.md"]);
console.log(`\n${results.length} faults, nothing lost; README.md has the table.`);
