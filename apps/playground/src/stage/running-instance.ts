/** A server instance on the stage. */
export interface RunningInstance {
  readonly port: number;
  /** Resolves when it has ended, by itself or killed. Missing if it cannot end by itself. */
  readonly ended?: Promise<unknown>;
  /** Takes it away without a goodbye, as a crash would, if it can be. */
  kill(): Promise<void>;
}

/** Starts an instance on a port, or on any free one for 0. `broker` is the address of its way to the broker. */
export type StartInstance = (port: number, broker: string | undefined) => Promise<RunningInstance>;
