import {
  decodeClientFrame,
  encodeSyncStep1,
  encodeSyncStep2,
  encodeUpdateFrame,
} from "@teleportal/sync-core";
import * as Y from "yjs";
import { InvariantBroken } from "./invariant-broken.ts";
import type { Random } from "./random.ts";
import type { InstanceConnection, SimulatedInstance } from "./simulated-instance.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** An editor: a Y.Doc, a typist, and a y-websocket connection to one instance over a link that loses nothing. */
export interface SimulatedClient {
  readonly name: string;
  readonly doc: Y.Doc;
  /** Whether it has, and has been told by its instance that it has, all there is. */
  readonly synced: boolean;
  connect(): void;
  /** Ends the connection; `connect` begins another. */
  disconnect(): void;
  /** A few changes within one event-loop turn. */
  edit(): void;
  /** Closes the editor: its document is gone. */
  quit(): void;
}

export interface ClientWorld {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly trace: Trace;
  /** The instance a load balancer would send a client to, if there is one. */
  choose(random: Random): SimulatedInstance | undefined;
  wrote(update: Uint8Array): void;
}

const REMOTE = "remote";
const KEYS = ["a", "b", "c"] as const;

interface Connection {
  send(frame: Uint8Array): void;
  end(): void;
}

export function createSimulatedClient(
  name: string,
  clientId: number,
  deleting: number,
  world: ClientWorld,
): SimulatedClient {
  const { clock, random, trace } = world;
  const doc = new Y.Doc({ guid: name });
  doc.clientID = clientId;
  const latency = random.between(0.5, 10);
  let connection: Connection | undefined;
  let synced = false;
  let over = false;
  let edited = false;

  doc.on("update", (update: Uint8Array, origin: unknown) => {
    if (origin === REMOTE) return;
    world.wrote(update);
    connection?.send(encodeUpdateFrame(update));
  });

  function connectTo(target: SimulatedInstance): Connection {
    let open = true;
    let server: InstanceConnection | undefined;

    const opened: Connection = {
      send(frame) {
        clock.at(clock.now + latency, () => {
          if (open) server?.receive(frame);
        });
      },
      end() {
        open = false;
        synced = false;
        server?.close();
      },
    };
    server = target.connect({
      send(frame) {
        clock.at(clock.now + latency, () => {
          if (open) receive(frame, opened);
        });
      },
      lost() {
        if (!open) return;
        opened.end();
        connection = undefined;
        connectLater();
      },
    });
    opened.send(encodeSyncStep1(Y.encodeStateVector(doc)));
    return opened;
  }

  function connectLater(): void {
    clock.at(clock.now + random.between(20, 400), connect);
  }

  function connect(): void {
    if (connection !== undefined || over) return;
    const target = world.choose(random);
    if (target === undefined) {
      connectLater();
      return;
    }
    trace.note(name, "connect", clientId, () => `to ${target.place}`);
    connection = connectTo(target);
  }

  function receive(frame: Uint8Array, from: Connection): void {
    const read = decodeClientFrame(frame);
    switch (read.type) {
      case "sync-step-1":
        from.send(encodeSyncStep2(Y.encodeStateAsUpdate(doc, read.stateVector.slice())));
        return;
      case "sync-step-2":
        synced = true;
        Y.applyUpdate(doc, read.update.slice(), REMOTE);
        return;
      case "update":
        if (synced) Y.applyUpdate(doc, read.update.slice(), REMOTE);
        else takeUnseen(read.update.slice());
        return;
      default:
        throw new Error(`an instance has sent a frame of type ${read.type}`);
    }
  }

  /** A part of the document that is to come: what others type comes behind that. */
  function takeUnseen(update: Uint8Array): void {
    const before = contentOf(doc);
    Y.applyUpdate(doc, update, REMOTE);
    if (contentOf(doc) === before) return;
    throw new InvariantBroken(
      "a download is seen as a whole",
      `${name} reads ${contentOf(doc)} behind ${before} before its last frame`,
    );
  }

  return {
    name,
    doc,
    get synced() {
      return synced;
    },
    connect,
    disconnect() {
      connection?.end();
      connection = undefined;
    },
    edit() {
      if (over) return;
      trace.note(name, "edit", clientId);
      for (let count = random.integer(1, 3); count > 0; count--) {
        if (edited && random.chance(deleting)) erase(doc, random);
        else change(doc, random);
      }
      edited = true;
    },
    quit() {
      trace.note(name, "quit", clientId);
      connection?.end();
      connection = undefined;
      over = true;
      doc.destroy();
    },
  };
}

function change(doc: Y.Doc, random: Random): void {
  const text = doc.getText("text");
  const map = doc.getMap("map");
  const dice = random.next();
  if (dice < 0.65) {
    text.insert(random.integer(0, text.length), "abcdefgh".slice(0, random.integer(1, 8)));
  } else if (dice < 0.8) {
    map.set(random.pick(KEYS), random.integer(0, 99));
  } else {
    const nested = map.get("nested");
    // What is written into a map that somebody else replaces meanwhile is deleted without anybody saying so.
    if (!(nested instanceof Y.Map) || random.chance(0.3)) map.set("nested", new Y.Map());
    else nested.set(random.pick(KEYS), random.integer(0, 99));
  }
}

/** Only deletes, and leaves the state vector as it was. */
function erase(doc: Y.Doc, random: Random): void {
  const text = doc.getText("text");
  if (text.length === 0 || random.chance(0.1)) {
    doc.getMap("map").delete(random.pick(KEYS));
    return;
  }
  const at = random.integer(0, text.length - 1);
  text.delete(at, Math.min(text.length - at, random.integer(1, 3)));
}

/** What a reader sees of a document. */
export function contentOf(doc: Y.Doc): string {
  const { text, map } = { text: doc.getText("text").toJSON(), map: doc.getMap("map").toJSON() };
  const entries = Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([text, entries.map(([key, value]) => [key, sorted(value)])]);
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
