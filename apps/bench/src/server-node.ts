import { execFileSync } from "node:child_process";
import process from "node:process";

/** What Hocuspocus 4 needs. */
const MAJOR = 22;

/** The Node binary that runs all contenders' servers, so that none gains by a newer one. */
export function serverNode(): string {
  if (Number(process.versions.node.split(".")[0]) >= MAJOR) return process.execPath;
  // The npm package `node` carries the binary; npx keeps it for the next time.
  return execFileSync("npx", ["--yes", `node@${MAJOR}`, "--print", "process.execPath"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}
