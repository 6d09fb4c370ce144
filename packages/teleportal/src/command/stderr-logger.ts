import type { Logger } from "@teleportal/sync-core";

const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/** One of the logger's levels; a message below the chosen one is left out. */
export type LogLevel = (typeof LEVELS)[number];

export function isLogLevel(value: string): value is LogLevel {
  return (LEVELS as readonly string[]).includes(value);
}

/** One line a message: time, level, text. */
export function createStderrLogger(least: LogLevel): Logger {
  const threshold = LEVELS.indexOf(least);

  function log(level: LogLevel, message: string): void {
    if (LEVELS.indexOf(level) < threshold) return;
    process.stderr.write(`${new Date().toISOString()} ${level.padEnd(5)} ${message}\n`);
  }

  return {
    trace: (message) => log("trace", message),
    debug: (message) => log("debug", message),
    info: (message) => log("info", message),
    warn: (message) => log("warn", message),
    error: (message) => log("error", message),
  };
}
