import type { Logger, ServerSyncTransportFactory } from "@teleportal/sync-core";
import type { DocumentStorage } from "../storage/document-storage.ts";
import type { ServerLimits } from "./limits.ts";

/** Which document a client asks for, and what the one who accepted the socket knows of the client. */
export interface DocumentRequest<Context> {
  /** The whole id, such as `doc123`, or `room1/doc456`. */
  readonly documentId: string;
  /** What stands before the first slash of the id, such as `room1`. */
  readonly room: string | undefined;
  readonly context: Context;
}

export interface PermissionRequest<Context> extends DocumentRequest<Context> {
  /** `read` is asked when a client connects, `write` when it first edits. */
  readonly type: "read" | "write";
}

export interface ServerOptions<Context> {
  /** Where a document is kept. Asked when it is opened, with the request of the client that opens it. */
  getStorage(ctx: DocumentRequest<Context>): DocumentStorage | Promise<DocumentStorage>;
  /** Whether a client may read, or write, a document. A rejection counts as no, and is logged. */
  checkPermission(ctx: PermissionRequest<Context>): boolean | Promise<boolean>;
  /**
   * Keeps this instance in step with others. The server opens and ends its transports; whoever made the factory
   * closes it, after the server.
   * @default a single instance: no broker, no broker client loaded
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- a factory's context is its own; the server hands it nothing
  readonly syncTransportFactory?: ServerSyncTransportFactory<any>;
  /** @default console */
  readonly logger?: Logger;
  readonly limits?: ServerLimits;
  /**
   * Whether the content of what was deleted stays, for all documents, or for those for which the function returns true; it is called
   * when a document is opened. Version histories (`Y.snapshot`, clients with `gc: false`) need it. Without it a document loses that content
   * when it is next made compact, and takes less room.
   * @default false
   */
  readonly keepDeletedContent?: boolean | ((request: DocumentRequest<Context>) => boolean);
  /**
   * How long a client that opens a document waits for the other instances' state, in milliseconds. Not at all when
   * there are none, or the broker is away.
   * @default 1000
   */
  readonly joinTimeout?: number;
  /**
   * This instance's id among its peers: 16 lower-case hexadecimal digits, never the same in two running instances.
   * @default random
   */
  readonly instanceId?: string;
}
