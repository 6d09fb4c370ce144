import process from "node:process";

interface Report {
  readonly userLimits?: Readonly<Record<string, { readonly soft: number | string }>>;
}

/** How many files and sockets a process may have open here; `undefined` where there is no such limit. */
export function openFileLimit(): number | undefined {
  const report = process.report.getReport() as Report;
  const limit = Number(report.userLimits?.["open_files"]?.soft);
  return Number.isNaN(limit) ? undefined : limit;
}
