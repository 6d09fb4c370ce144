import type { Editor, EditorKind } from "@teleportal/test-editors/editor";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

// Every provider listens for the end of the process; a test has many of them.
process.setMaxListeners(0);

/** Somebody's page: a document with its provider, and an editor on it if it has one. */
export interface Client {
  readonly name: string;
  readonly doc: Y.Doc;
  readonly provider: WebsocketProvider;
  readonly editor: Editor | undefined;
  /** The updates that its document made although nobody did anything in it: the editor did, or Yjs. All of them were sent. */
  readonly unasked: readonly Uint8Array[];
  /** Does something in the editor, and returns the updates that it made. */
  act(what: (editor: Editor) => void): readonly Uint8Array[];
}

/** How a client is opened. */
export interface ClientOptions {
  readonly url: string;
  readonly documentId: string;
  /** @default none: it only holds the document */
  readonly kind?: EditorKind;
}

/** Opens a page: the editor stands on an empty document before the provider connects, as an application has it. */
export function openClient(name: string, options: ClientOptions): Client {
  const { url, documentId, kind } = options;
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(url, documentId, doc, {
    connect: false,
    // Each has a link of its own: no shortcut between the tabs of a browser.
    disableBc: true,
    maxBackoffTime: 200,
    // Node 20 has no global WebSocket; the types of `ws` differ from the browser's in events nobody uses here.
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
  });
  const unasked: Uint8Array[] = [];
  let asked: Uint8Array[] | undefined;
  doc.on("update", (update: Uint8Array, origin: unknown) => {
    if (origin !== provider) (asked ?? unasked).push(update);
  });
  const editor = kind?.open(doc, provider.awareness);
  provider.connect();
  onTestFinished(() => {
    provider.destroy();
    editor?.destroy();
    doc.destroy();
  });
  return {
    name,
    doc,
    provider,
    editor,
    unasked,
    act(what) {
      if (editor === undefined) throw new Error(`${name} has no editor`);
      const made: Uint8Array[] = [];
      asked = made;
      try {
        what(editor);
      } finally {
        asked = undefined;
      }
      return made;
    },
  };
}
