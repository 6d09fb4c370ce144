import { createSyncTransportFactory } from "@teleportal/sync-core";
import type {
  Logger,
  Message,
  PeerMessage,
  SyncTransportOptions,
  TransportStreams,
} from "@teleportal/sync-core";
import { createScriptedBroker } from "./scripted-broker.ts";
import type { ScriptedDriver } from "./scripted-broker.ts";

export const A = "aaaaaaaaaaaaaaaa";
export const B = "bbbbbbbbbbbbbbbb";

export function update(sender: string, seq: number, ...bytes: number[]): PeerMessage {
  return { kind: "update", sender, epoch: 1, seq, frames: [new Uint8Array(bytes)] };
}

function createLog() {
  const lines: string[] = [];
  const keep = (message: string): void => void lines.push(message);
  const logger: Logger = { trace: keep, debug: keep, info: keep, warn: keep, error: keep };
  return { lines, logger };
}

export function start(
  driver: ScriptedDriver,
  options: Partial<SyncTransportOptions<unknown>> = {},
  up = true,
) {
  const { lines, logger } = createLog();
  const factory = createSyncTransportFactory(driver, { context: "ctx", logger, ...options });
  driver.say(up ? { state: "up" } : { state: "down", cause: new Error("no broker") });
  return { factory, lines };
}

export function use(transport: TransportStreams<unknown>) {
  const reader = transport.readable.getReader();
  return {
    writer: transport.writable.getWriter(),
    reader,
    async next(): Promise<Message> {
      const { value, done } = await reader.read();
      if (done) throw new Error("the transport has ended");
      return value;
    },
  };
}

/** Resolves after all that this event-loop turn has set off, publishes included. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A promise that a test settles. */
export function deferred() {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** An envelope as another factory publishes it. */
export async function published(sender: string, seq: number): Promise<Uint8Array> {
  const broker = createScriptedBroker();
  const { factory } = start(broker.driver());
  const { writer } = use(await factory.createTransport("doc"));
  await writer.write(update(sender, seq, seq));
  await turns();
  await factory.close();
  const [first] = broker.published;
  if (first === undefined) throw new Error("nothing was published");
  return first.bytes;
}
