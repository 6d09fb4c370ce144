/** What the way of a keystroke allocates, in a process of its own: nothing is collected meanwhile. Prints it as JSON. */
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { encodeSyncStep1, encodeUpdateFrame, silentLogger } from "@teleportal/sync-core";
import { createMemoryBus, createMemoryServerSyncTransportFactory } from "@teleportal/sync-memory";
import type { MemoryBus } from "@teleportal/sync-memory";
import { Server } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import * as Y from "yjs";
import { decodeEnvelope, encodeEnvelope } from "../../../sync-core/src/wire/envelope.ts";
import { History } from "../../src/document/history.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const WARM_UP = 20_000;
const MEASURED = 4000;
const ROUNDS = 5;
/** So many quiet documents are opened. */
const QUIET = 2000;

const PEER = "0123456789abcdef";

/** Updates of one person who types on and on. */
function createTypist(): () => Uint8Array {
  const doc = new Y.Doc({ gc: false });
  const text = doc.getText("text");
  let update = new Uint8Array();
  doc.on("update", (made: Uint8Array) => (update = new Uint8Array(made)));
  return () => {
    text.insert(text.length, "x");
    return update;
  };
}

/** Bytes for each of `act`, buffers included; `input` makes what is not counted. */
async function allocatedBy<Input>(
  input: () => Input,
  act: (input: Input) => void | Promise<void>,
): Promise<number> {
  for (let i = 0; i < WARM_UP; i++) await act(input());
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const inputs = Array.from({ length: MEASURED }, input);
    collectGarbage();
    const before = used();
    for (const each of inputs) await act(each);
    rounds.push((used() - before) / MEASURED);
  }
  return Math.round(rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN);
}

function used(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function wire(): Promise<number> {
  const type = createTypist();
  let seq = 0;
  return allocatedBy(
    () => encodeUpdateFrame(type()),
    (frame) => {
      seq += 1;
      const message = { kind: "update", sender: PEER, epoch: 1, seq, frames: [frame] } as const;
      decodeEnvelope(encodeEnvelope(message, [message]));
    },
  );
}

async function history(): Promise<number> {
  const held = new History();
  return allocatedBy(createTypist(), (update) => {
    held.take(update);
    if (held.scattered) held.gather();
  });
}

async function startServer(bus: MemoryBus): Promise<Server> {
  const factory = await createMemoryServerSyncTransportFactory({ bus }, undefined, silentLogger);
  const storage = createMemoryDocumentStorage();
  return new Server<unknown>({
    getStorage: () => storage,
    checkPermission: () => true,
    syncTransportFactory: factory,
    logger: silentLogger,
    limits: { messagesPerSecond: Number.POSITIVE_INFINITY },
  });
}

/** What a document holds that a client has open and nobody types in, the client's connection included but for its socket. */
async function quiet(): Promise<number> {
  const server = await startServer(createMemoryBus());
  let opened = 0;
  const open = async (count: number): Promise<void> => {
    await Promise.all(
      Array.from({ length: count }, () => {
        const documentId = `quiet${opened++}`;
        return new Promise<void>((resolve) => {
          const socket = { close() {}, bufferedAmount: 0, send: () => resolve() };
          server.connect(socket, { documentId, context: undefined });
        });
      }),
    );
    collectGarbage();
  };
  await open(QUIET / 4);
  const before = used();
  await open(QUIET);
  return Math.round((used() - before) / QUIET);
}

/** From a client's frame at one instance to a client's frame at the other, without sockets. */
async function instances(): Promise<number> {
  const bus = createMemoryBus();
  let arrived: (() => void) | undefined;
  const request = { documentId: "doc", context: undefined };
  const idle = { close() {}, bufferedAmount: 0 };
  const typist = (await startServer(bus)).connect({ ...idle, send() {} }, request);
  const reader = (await startServer(bus)).connect(
    { ...idle, send: (frame) => frame[1] === 2 && arrived?.() },
    request,
  );
  // Who has not asked for the document is not sent what is typed.
  reader.receive(encodeSyncStep1(Uint8Array.of(0)));
  const type = createTypist();
  return allocatedBy(
    () => encodeUpdateFrame(type()),
    (frame) =>
      new Promise((resolve) => {
        arrived = resolve;
        typist.receive(frame);
      }),
  );
}

console.log(
  JSON.stringify({
    quiet: await quiet(),
    wire: await wire(),
    history: await history(),
    instances: await instances(),
  }),
);
process.exit();
