import type { Check } from "../check.ts";
import type { CheckResult } from "../report.ts";

/** One line that tells where a run is; on a terminal it is written over and over, elsewhere only failures are told. */
export interface Progress {
  check(check: Check, index: number, count: number): void;
  result(result: CheckResult): void;
  /** Clears the line. */
  end(): void;
}

/** ANSI: to the first column, and clear to the end of the line. */
const CLEAR = "\r\u001b[K";

export function createProgress(stream: NodeJS.WriteStream): Progress {
  const isTerminal = stream.isTTY;
  let failed = 0;

  return {
    check({ id }, index, count) {
      if (!isTerminal) return;
      const failures = failed === 0 ? "" : `, ${failed} failed`;
      stream.write(`${CLEAR}${index + 1} of ${count}${failures}: ${id} …`);
    },
    result(result) {
      if (result.outcome !== "failed") return;
      failed += 1;
      stream.write(`${isTerminal ? CLEAR : ""}✗ ${result.level} ${result.id}: ${result.error}\n`);
    },
    end() {
      if (isTerminal) stream.write(CLEAR);
    },
  };
}
