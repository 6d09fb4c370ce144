import type { Check } from "../check.ts";
import type { CheckResult } from "../report.ts";

/** One line that tells where a run is; on a terminal it is written over and over, elsewhere only failures are told. */
export interface Progress {
  check(check: Check, index: number, count: number): void;
  result(result: CheckResult): void;
  /** The check is run again. */
  linkLost(check: Check, cause: string): void;
  /** Clears the line. */
  end(): void;
}

/** ANSI: to the first column, and clear to the end of the line. */
const CLEAR = "\r\u001b[K";

export function createProgress(stream: NodeJS.WriteStream): Progress {
  const isTerminal = stream.isTTY;
  let failed = 0;

  function tell(line: string): void {
    stream.write(`${isTerminal ? CLEAR : ""}${line}\n`);
  }

  return {
    check({ id }, index, count) {
      if (!isTerminal) return;
      const failures = failed === 0 ? "" : `, ${failed} failed`;
      stream.write(`${CLEAR}${index + 1} of ${count}${failures}: ${id} …`);
    },
    result(result) {
      if (result.outcome !== "failed") return;
      failed += 1;
      tell(`✗ ${result.level} ${result.id}: ${result.error}`);
    },
    linkLost({ id }, cause) {
      tell(`↻ ${id} is run again: a link was lost that nothing had broken (${cause})`);
    },
    end() {
      if (isTerminal) stream.write(CLEAR);
    },
  };
}
