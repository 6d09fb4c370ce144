import { createPeerId, describeCause, isPeerId, SyncError } from "@teleportal/sync-core";
import type { OfflineBudget } from "@teleportal/sync-core";
import { createCounters } from "../operations/counters.ts";
import type { InstanceSnapshot } from "../operations/snapshot.ts";
import { takeSnapshot } from "../operations/take-snapshot.ts";
import { openDocument } from "../document/document.ts";
import type { Document } from "../document/document.ts";
import { Schedule } from "../document/schedule.ts";
import type { ClientConnection, ClientSocket } from "./client-socket.ts";
import { CloseCode } from "./close-code.ts";
import { createConnection } from "./connection.ts";
import type { ConnectionHost, ServerConnection } from "./connection.ts";
import { createDocumentRegistry } from "./document-registry.ts";
import { KeepAlive } from "./keep-alive.ts";
import type { Share } from "./keep-alive.ts";
import { withDefaultLimits } from "./limits.ts";
import type { Limits } from "./limits.ts";
import type { DocumentRequest, PermissionRequest, ServerOptions } from "./server-options.ts";

/** So many documents are remembered that a refused update was reported of. */
const MOST_REPORTED = 10_000;

/** How many bytes of edits all documents together keep to send them when the broker is back; the rest is fetched. */
const OFFLINE_BYTES = 16 * 1024 * 1024;

/**
 * Serves Yjs documents to y-websocket clients. Needs no Node API: sockets reach it through `connect`; `listen` and
 * `attach` of `teleportal` bring them from a Node server.
 */
export class Server<Context = unknown> {
  readonly #options: ServerOptions<Context>;
  readonly #logger;
  readonly #limits;
  readonly #instanceId: string;
  readonly #documents = createDocumentRegistry();
  /** Those that are open, and in which share each is kept alive. */
  readonly #connections = new Map<ServerConnection<DocumentRequest<Context>>, Share>();
  readonly #connectionHost: ConnectionHost<DocumentRequest<Context>>;
  readonly #schedule = new Schedule();
  readonly #counters = createCounters();
  readonly #startedAt = performance.now();
  readonly #keepAlive = new KeepAlive();
  #closing: Promise<void> | undefined;
  readonly #offlineBudget: OfflineBudget = { held: 0, cap: OFFLINE_BYTES };
  #lastEpoch = 0;
  /** Documents of which a refused update was reported. */
  readonly #reported = new Set<string>();

  /** @throws SyncError for an `instanceId` that is none. */
  constructor(options: ServerOptions<Context>) {
    if (options.instanceId !== undefined && !isPeerId(options.instanceId)) {
      throw new SyncError(
        "teleportal",
        `the instanceId ${JSON.stringify(options.instanceId)} is none`,
        "use 16 lower-case hexadecimal digits, or leave it out",
      );
    }
    this.#options = options;
    this.#logger = options.logger ?? console;
    this.#limits = withDefaultLimits(options.limits ?? {});
    this.#instanceId = options.instanceId ?? createPeerId();
    this.#connectionHost = {
      limits: this.#limits,
      logger: this.#logger,
      counters: this.#counters,
      mayRead: (client) => this.#isAllowed({ ...client, type: "read" }),
      mayWrite: (client) => this.#isAllowed({ ...client, type: "write" }),
      refusal: (documentId) => this.#refusal(documentId),
      open: (client) => this.#documents.acquire(client.documentId, () => this.#open(client)),
      release: (documentId) => this.#documents.release(documentId),
      updateRefused: (documentId, cause) => this.#reportRefused(documentId, cause),
      ended: (connection) => {
        const share = this.#connections.get(connection);
        if (share !== undefined) this.#keepAlive.delete(connection, share);
        this.#connections.delete(connection);
      },
    };
  }

  /** How many documents are open, and how many clients are connected. */
  get size(): { readonly documents: number; readonly connections: number } {
    return { documents: this.#documents.size, connections: this.#connections.size };
  }

  /** Whether `close` was called. */
  get closing(): boolean {
    return this.#closing !== undefined;
  }

  /** How this instance is at this moment, its sync transport included. */
  snapshot(): InstanceSnapshot {
    const server = {
      instance: this.#instanceId,
      uptime: (performance.now() - this.#startedAt) / 1000,
      clients: this.#connections.size,
      documents: this.#documents.size,
      counters: this.#counters,
    };
    return takeSnapshot(server, this.#options.syncTransportFactory);
  }

  /** The limits in force, defaults included. */
  get limits(): Limits {
    return this.#limits;
  }

  /**
   * Takes a client's socket in. It serves the one document until it is closed; a client that wants another opens
   * another socket, as the protocol has it.
   */
  connect(
    socket: ClientSocket,
    request: { readonly documentId: string; readonly context: Context },
  ): ClientConnection {
    const { documentId, context } = request;
    const slash = documentId.indexOf("/");
    const room = slash === -1 ? undefined : documentId.slice(0, slash);
    const ctx: DocumentRequest<Context> = { documentId, room, context };
    const refusal = this.#refusal(documentId);
    if (refusal !== undefined) {
      socket.close(CloseCode.tryAgainLater, refusal);
      return { receive() {}, oversized() {}, closed() {} };
    }
    const connection = createConnection(socket, ctx, this.#connectionHost);
    const share = this.#keepAlive.deal();
    this.#connections.set(connection, share);
    this.#keepAlive.add(connection, share);
    return connection;
  }

  /**
   * Closes the connections for which `which` holds, with 4205. A y-websocket client comes again by itself, and is asked for its
   * permission anew; one that is not to come again is what `checkPermission` refuses.
   *
   * @returns how many were closed
   */
  disconnect(
    which: (client: DocumentRequest<Context>) => boolean,
    reason = "disconnected by the server",
  ): number {
    const chosen = this.#chosen(which);
    for (const connection of chosen) connection.close(CloseCode.reset, reason);
    return chosen.length;
  }

  /**
   * Asks `checkPermission` again for connections that stay, as when somebody's rights have changed: who may not read any more is
   * closed with 4403, and who may not write any more is refused from the next edit on.
   *
   * @param which Those that are asked about. @default all
   * @returns how many were closed, once all have been asked about
   */
  async recheckPermissions(
    which: (client: DocumentRequest<Context>) => boolean = () => true,
  ): Promise<number> {
    const remain = await Promise.all(this.#chosen(which).map((connection) => connection.recheck()));
    return remain.filter((remains) => !remains).length;
  }

  /**
   * Closes every connection with 1001, stores every document, says goodbye to the peers and ends every transport.
   * Idempotent. The sync transport factory stays open: it belongs to the one who made it.
   */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  #chosen(
    which: (client: DocumentRequest<Context>) => boolean,
  ): ServerConnection<DocumentRequest<Context>>[] {
    return [...this.#connections.keys()].filter(
      (connection) => connection.isOpen() && which(connection.client),
    );
  }

  #refusal(documentId: string): string | undefined {
    if (this.#closing !== undefined) return "the server is closing: try another";
    const users = this.#documents.users(documentId);
    if (users >= this.#limits.connectionsPerDocument) return "too many connections to the document";
    if (users === 0 && this.#documents.size >= this.#limits.documents) return "too many documents";
    return undefined;
  }

  async #isAllowed(request: PermissionRequest<Context>): Promise<boolean> {
    try {
      return await this.#options.checkPermission(request);
    } catch (cause) {
      this.#logger.error(
        `[teleportal] checkPermission failed for ${request.documentId} (${describeCause(cause)}): ` +
          "the client is refused",
      );
      return false;
    }
  }

  async #open(request: DocumentRequest<Context>): Promise<Document> {
    const id = request.documentId;
    const factory = this.#options.syncTransportFactory;
    const storage = await this.#options.getStorage(request);
    const transport = await factory?.createTransport(id);
    // Larger at every opening, also of several within a millisecond.
    this.#lastEpoch = Math.max(this.#lastEpoch + 1, Date.now());
    try {
      return await openDocument({
        id,
        storage,
        transport,
        logger: this.#logger,
        counters: this.#counters,
        replica: {
          id: this.#instanceId,
          epoch: this.#lastEpoch,
          joinTimeout: this.#options.joinTimeout ?? 1000,
          offlineBudget: this.#offlineBudget,
        },
        deletedContent: this.#keepsDeletedContent(request) ? "kept" : "removed",
        presenceBytes: this.#limits.presenceBytes,
        schedule: this.#schedule,
      });
    } catch (error) {
      await transport?.readable.cancel();
      throw error;
    }
  }

  /** Once for each document: a client that holds what is refused may come again and again. */
  #reportRefused(documentId: string, cause: Error): void {
    if (this.#reported.has(documentId)) return;
    if (this.#reported.size >= MOST_REPORTED) this.#reported.clear();
    this.#reported.add(documentId);
    this.#logger.warn(
      `[teleportal] a client's update for ${documentId} is refused (${describeCause(cause)}): nobody else has seen it; ` +
        "not reported again for this document",
    );
  }

  #keepsDeletedContent(request: DocumentRequest<Context>): boolean {
    const { keepDeletedContent = false } = this.#options;
    return typeof keepDeletedContent === "function"
      ? keepDeletedContent(request)
      : keepDeletedContent;
  }

  async #closeAll(): Promise<void> {
    for (const connection of this.#connections.keys()) {
      connection.close(CloseCode.goingAway, "the server is closing");
    }
    await this.#documents.closeAll();
    this.#schedule.cancel();
    this.#keepAlive.stop();
  }
}
