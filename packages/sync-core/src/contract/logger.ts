/**
 * Where the packages report changes of state. `console`, pino, LogTape and LogLayer all fit as they are.
 * Every call passes one string; an error's text is already part of it.
 */
export interface Logger {
  trace(message: string): unknown;
  debug(message: string): unknown;
  info(message: string): unknown;
  warn(message: string): unknown;
  error(message: string): unknown;
}

/** Reports nothing. For tests, and for hosts that watch `onStatus` instead. */
export const silentLogger: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};
