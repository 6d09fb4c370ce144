import { writeFile } from "node:fs/promises";
import process from "node:process";
import { parseArgs } from "node:util";
import { describeCause } from "../../sync-error.ts";
import { conformanceChecks } from "../conformance.ts";
import { importYjs } from "../convergence-node.ts";
import { formatMarkdown, formatText } from "../format.ts";
import { runConformance } from "../report.ts";
import type { ConformanceReport } from "../report.ts";
import { loadTarget } from "./load-target.ts";
import { createProgress } from "./progress.ts";

const USAGE = `Usage: teleportal-conformance FILE [options]

Checks a Teleportal sync adapter. FILE exports \`target\`, or a function \`createTarget\`, see
@teleportal/sync-core/conformance.

  --only PREFIX     only the checks whose id begins so, such as "recovery" or "recovery/dark"; may be repeated
  --strict          a failed SHOULD or MAY fails the whole as well
  --json FILE       writes the report as JSON; "-" is the standard output
  --markdown FILE   writes the report as Markdown; "-" is the standard output
  --list            prints the checks and ends
  --help

Exit code: 0 if it is conformant, 1 if it is not, 2 if nothing could be checked.
`;

/** Runs the command; resolves with its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return refuse(describeCause(error));
  }
  const { values, positionals } = parsed;
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.list) {
    for (const { id, level, title } of conformanceChecks) {
      process.stdout.write(`${level.padEnd(6)} ${id.padEnd(36)} ${title}\n`);
    }
    return 0;
  }
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) return refuse("name one file");
  const prefixes = values.only ?? [""];
  const selects = ({ id }: { id: string }): boolean =>
    prefixes.some((prefix) => id.startsWith(prefix));
  if (!conformanceChecks.some(selects))
    return refuse(`no check begins with ${prefixes.join(", ")}`);

  const progress = createProgress(process.stderr);
  let report: ConformanceReport;
  try {
    // Now rather than in the middle: whoever lacks it has not failed a check.
    await importYjs();
    const target = await loadTarget(file);
    report = await runConformance(target, {
      select: selects,
      onCheck: progress.check,
      onResult: progress.result,
      onLinkLost: progress.linkLost,
    });
  } catch (error) {
    progress.end();
    process.stderr.write(`${describe(error)}\n`);
    return 2;
  }
  progress.end();
  try {
    await write(report, values);
  } catch (error) {
    process.stderr.write(
      `teleportal-conformance: the report was not written: ${describe(error)}\n`,
    );
    return 2;
  }
  if (report.passed + report.failed === 0) return refuse("none of the chosen checks applies");
  const passed = values.strict ? report.failed === 0 : report.conformant;
  return passed ? 0 : 1;
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: { type: "string", multiple: true },
      strict: { type: "boolean" },
      json: { type: "string" },
      markdown: { type: "string" },
      list: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
}

function refuse(reason: string): number {
  process.stderr.write(`teleportal-conformance: ${reason}\n\n${USAGE}`);
  return 2;
}

async function write(
  report: ConformanceReport,
  {
    json,
    markdown,
  }: { readonly json?: string | undefined; readonly markdown?: string | undefined },
): Promise<void> {
  // What is to be read by a program is alone on the standard output.
  if (json !== "-" && markdown !== "-") process.stdout.write(formatText(report));
  const outputs = [
    { file: json, text: `${JSON.stringify(report, null, 2)}\n` },
    { file: markdown, text: formatMarkdown(report) },
  ];
  for (const { file, text } of outputs) {
    if (file === "-") process.stdout.write(text);
    else if (file !== undefined) await writeFile(file, text);
  }
}

/** An error with what lies behind it. */
function describe(error: unknown): string {
  const texts = [];
  for (let at: unknown = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
    // In full: it may be an adapter that says it.
    texts.push(at instanceof Error ? at.message : describeCause(at));
  }
  return texts.join("\n  caused by: ");
}
