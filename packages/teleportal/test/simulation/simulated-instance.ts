import {
  createReplica,
  decodeClientFrame,
  encodeSyncStep1,
  encodeSyncStep2,
  encodeUpdateFrame,
} from "@teleportal/sync-core";
import type {
  PeerMessage,
  Replica,
  ReplicaDocument,
  ReplicaHost,
  TransportSignal,
} from "@teleportal/sync-core";
import { History } from "../../src/document/history.ts";
import { StagedRepair } from "../../src/document/staged-repair.ts";
import { InvariantBroken } from "./invariant-broken.ts";
import type { Mutation } from "./mutation.ts";
import { createPublicationCheck } from "./publication-check.ts";
import type { Random } from "./random.ts";
import type { SimulatedBroker } from "./simulated-broker.ts";
import { openSimulatedTransport } from "./simulated-transport.ts";
import type { TransportSettings } from "./simulated-transport.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock, VirtualTimer } from "./virtual-clock.ts";

/** A client as its instance sees it. */
export interface InstanceClient {
  send(frame: Uint8Array): void;
  /** The instance is gone. */
  lost(): void;
}

export interface InstanceConnection {
  receive(frame: Uint8Array): void;
  close(): void;
}

/** One life of an instance, from its start to its crash or its end: the document, its replica and its clients. */
export interface SimulatedInstance {
  readonly place: string;
  readonly id: string;
  readonly history: History;
  connect(client: InstanceClient): InstanceConnection;
  /** Everything that happens from now on waits for `resume`. */
  pause(): void;
  resume(): void;
  /** Makes the history compact, as the server does when it has grown. */
  compact(): void;
  /** Ends at once, and nobody is told. */
  crash(): void;
  /** Ends as a server does that is being shut down. */
  drain(): void;
}

export interface InstanceSettings {
  readonly place: string;
  readonly id: string;
  readonly epoch: number;
  readonly stored: readonly Uint8Array[];
  readonly offlineBytes: number;
  /** About how many bytes of a document are handled at a time, and sent in a reply. */
  readonly pieceSize: number;
  readonly transport: TransportSettings;
  readonly mutation: Mutation;
}

export interface InstanceWorld {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly trace: Trace;
  readonly broker: SimulatedBroker;
  /** The history has something new; from a client if `by` says so. */
  added(update: Uint8Array, by: "client" | "peer"): void;
  sent(message: PeerMessage): void;
}

/** What `openDocument` does around history and replica, over virtual time and without presence. */
export function startSimulatedInstance(
  settings: InstanceSettings,
  world: InstanceWorld,
): SimulatedInstance {
  const { place, id, epoch, offlineBytes, pieceSize, mutation } = settings;
  const { clock, random, trace, broker } = world;
  const history = new History();
  for (const update of settings.stored) history.load(update);
  const staged = new StagedRepair(history);
  const check = createPublicationCheck(place, offlineBytes);
  const connected = new Set<InstanceClient>();
  /** Those of them that have been sent the document. */
  const clients = new Set<InstanceClient>();
  let state: "running" | "paused" | "over" = "running";
  let inbox: (() => void)[] = [];
  let waitingForJoin: (() => void)[] = [];
  let wake: VirtualTimer | undefined;
  let flushing = false;
  /** What the replica is being given, as it was before any mutation. */
  let received: PeerMessage | TransportSignal | undefined;

  function run(task: () => void): void {
    if (state === "running") task();
    else if (state === "paused") inbox.push(task);
  }

  function afterTurn(task: () => void): void {
    clock.at(clock.now, () => run(task));
  }

  function sendToClients(frame: Uint8Array, except?: InstanceClient): void {
    for (const client of clients) if (client !== except) client.send(frame);
  }

  const realHost: ReplicaHost = {
    now: () => clock.now,
    random: () => random.next(),
    send(original) {
      const message = mutation.send === undefined ? original : mutation.send(original, id);
      if (message === undefined) return;
      trace.note(place, `send ${message.kind}`, message.seq, () => describe(message));
      check.sent(message);
      world.sent(message);
      transport.send(message);
    },
    apply(frames, from, heldByPeer) {
      // As it was before any mutation; what was held back comes later, and is no reply.
      if (received?.kind === "reply" && received.to !== id) {
        throw new InvariantBroken(
          "a diff is applied by its addressee only",
          `${place} applies a diff for ${received.to ?? "nobody"}`,
        );
      }
      const parts = heldByPeer === undefined ? "none" : staged.finish(from, heldByPeer);
      if (parts === "outdated") return;
      if (from.kind === "update") {
        for (const frame of frames) takeFromPeer(updateIn(frame), frame);
        return;
      }
      const repair = parts === "none" ? new History() : parts;
      for (const frame of frames) repair.take(updateIn(frame));
      takeFromPeer(repair.state());
    },
    stage(frames, from) {
      return frames.map((frame) => staged.add(updateIn(frame), from)).includes(true);
    },
    storing: () => "apart",
    confirmed() {},
    applyAwareness() {},
    gone() {},
    awarenessSnapshot: () => undefined,
    missed() {},
    malformed(message) {
      throw new Error(`${place} takes a ${message.kind} for malformed`);
    },
    joined() {
      const waiting = waitingForJoin;
      waitingForJoin = [];
      for (const task of waiting) afterTurn(task);
    },
    wakeAt(time) {
      if (wake !== undefined && wake.time === time && time > clock.now) return;
      wake?.cancel();
      wake = undefined;
      if (time === undefined) return;
      const timer = clock.at(time, () => {
        if (wake === timer) wake = undefined;
        run(() => replica.tick());
      });
      wake = timer;
    },
  };

  function updateIn(frame: Uint8Array): Uint8Array {
    const read = decodeClientFrame(frame);
    if (read.type === "update" || read.type === "sync-step-2") return read.update.slice();
    throw new Error(`${place} is to apply a frame of type ${read.type}`);
  }

  function takeFromPeer(update: Uint8Array, frame?: Uint8Array): void {
    const news = history.take(update);
    if (news === undefined) return;
    world.added(news, "peer");
    sendToClients(news === update && frame !== undefined ? frame : encodeUpdateFrame(news));
  }

  function acceptUpdate(client: InstanceClient, update: Uint8Array, frame?: Uint8Array): void {
    const news = history.take(update);
    if (news === undefined) return;
    trace.note(place, "accept", update.length);
    world.added(news, "client");
    const forwarded = news === update && frame !== undefined ? frame : encodeUpdateFrame(news);
    sendToClients(forwarded, client);
    check.typed(forwarded);
    replica.localUpdate(forwarded);
    if (flushing) return;
    flushing = true;
    afterTurn(() => {
      flushing = false;
      check.turn(() => replica.flush());
    });
  }

  function receive(message: PeerMessage | TransportSignal): void {
    const taken = mutation.receive === undefined ? message : mutation.receive(message, id);
    trace.note(place, `get ${message.kind}`, 0, () => describe(message));
    if (taken === undefined) return;
    received = message;
    if (taken.kind === "up") {
      check.turn(() => {
        replica.receive(taken);
        check.link("up");
      });
    } else {
      if (taken.kind === "down") check.link("down");
      replica.receive(taken);
    }
    received = undefined;
  }

  function handle(client: InstanceClient, frame: Uint8Array): void {
    const read = decodeClientFrame(frame);
    switch (read.type) {
      case "sync-step-1":
        sendDownload(client, read.stateVector);
        return;
      case "update":
        acceptUpdate(client, read.update.slice(), frame.slice());
        return;
      case "sync-step-2":
        acceptUpdate(client, read.update.slice());
        return;
      default:
        throw new Error(`a client has sent a frame of type ${read.type}`);
    }
  }

  function sendDownload(client: InstanceClient, stateVector: Uint8Array): void {
    const frames = history.download(stateVector, pieceSize);
    for (const [index, frame] of frames.entries()) {
      const isLast = index === frames.length - 1;
      client.send(isLast ? encodeSyncStep2(frame) : encodeUpdateFrame(frame));
    }
    clients.add(client);
  }

  function end(): void {
    state = "over";
    inbox = [];
    wake?.cancel();
    clients.clear();
    for (const client of connected) client.lost();
  }

  const host = mutation.host === undefined ? realHost : mutation.host(realHost, id);
  const held: ReplicaDocument = {
    stateVector: () => history.stateVector(),
    digest: () => history.digest(),
    complete: () => history.complete(),
    difference: (stateVector, limit) => history.difference(stateVector, limit),
    withStaged: () => staged.state(),
  };
  const document = mutation.document === undefined ? held : mutation.document(held, id);
  const replica: Replica = createReplica(document, host, {
    id,
    epoch,
    offlineBytes,
    replyBytes: pieceSize,
    ...mutation.options,
  });

  const transport = openSimulatedTransport(place, id, broker, settings.transport, {
    message: (message) => run(() => receive(message)),
    waiting: () => afterTurn(() => transport.flush()),
  });

  replica.start();

  return {
    place,
    id,
    history,
    connect(client) {
      let queue: Uint8Array[] | undefined = [];
      let open = true;
      connected.add(client);

      function begin(): void {
        if (!open) return;
        client.send(encodeSyncStep1(history.stateVector()));
        const waiting = queue ?? [];
        queue = undefined;
        for (const frame of waiting) handle(client, frame);
      }

      run(() => {
        if (replica.hasJoined()) begin();
        else waitingForJoin.push(begin);
      });
      return {
        receive(frame) {
          run(() => {
            if (!open) return;
            if (queue === undefined) handle(client, frame);
            else queue.push(frame);
          });
        },
        close() {
          open = false;
          connected.delete(client);
          clients.delete(client);
        },
      };
    },
    pause() {
      if (state === "running") state = "paused";
    },
    resume() {
      if (state !== "paused") return;
      state = "running";
      const tasks = inbox;
      inbox = [];
      for (const task of tasks) afterTurn(task);
    },
    compact() {
      run(() => {
        const steps = history.compact();
        while (steps.next().done !== true);
      });
    },
    crash() {
      trace.note(place, "crash", 0);
      transport.abandon();
      end();
    },
    drain() {
      trace.note(place, "drain", 0);
      state = "running";
      replica.leave();
      transport.flush();
      transport.abandon();
      end();
    },
  };
}

function describe(message: PeerMessage | TransportSignal): string {
  if (!("frames" in message)) return "sender" in message ? message.sender : "";
  const { sender, seq, to, frames } = message;
  const sizes = frames.map((frame) => frame.length).join("+");
  return `of ${sender.slice(-4)}${to === undefined ? "" : ` to ${to.slice(-4)}`} seq ${seq} [${sizes}]`;
}
