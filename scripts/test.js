/**
 * `npm test`: everything CI asks for, on a fresh clone as well. Ends with one line, `N passed, N failed, N skipped`,
 * in which each step before the tests counts as one.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { run, setUp } from "./setup.js";

const STEPS = [
  { name: "format", command: ["oxfmt", "--check", "."] },
  { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings"] },
  { name: "types", command: ["tsc", "--noEmit"] },
  { name: "build", command: ["turbo", "run", "build", "--output-logs=errors-only"] },
  { name: "packages", command: ["turbo", "run", "check:package", "--output-logs=errors-only"] },
  { name: "unused", command: ["knip"] },
];

setUp();

const totals = { passed: 0, failed: 0, skipped: 0 };

for (const { name, command } of STEPS) {
  console.log(`\n── ${name}: ${command.join(" ")}`);
  const [program, ...args] = command;
  totals[run(program, args) === 0 ? "passed" : "failed"] += 1;
}

console.log("\n── tests: vitest run");
const folder = mkdtempSync(join(tmpdir(), "teleportal-test-"));
const report = join(folder, "report.json");
const status = run("vitest", [
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile=${report}`,
]);
const tests = readReport(report);
rmSync(folder, { recursive: true });
// A run that fails without a failed test (an unhandled rejection, a crash) is a failure all the same.
if (status !== 0 && tests.failed === 0) tests.failed = 1;
for (const key of Object.keys(totals)) totals[key] += tests[key];

console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed === 0 ? 0 : 1;

function readReport(file) {
  let results;
  try {
    results = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    console.error(`vitest left no report: ${error.message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  // A test file that cannot be loaded has no tests to count.
  const unloadable = results.testResults.filter(
    (suite) => suite.status === "failed" && suite.assertionResults.length === 0,
  );
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + unloadable.length,
    skipped: results.numPendingTests + results.numTodoTests,
  };
}
