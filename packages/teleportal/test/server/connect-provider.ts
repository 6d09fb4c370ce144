import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

// Every provider listens for the end of the process; a test has many of them.
process.setMaxListeners(0);

/** A real y-websocket client, as an editor binding uses it. */
export interface EditorClient {
  readonly doc: Y.Doc;
  readonly text: Y.Text;
  readonly provider: WebsocketProvider;
  /** Resolves once the server has said that everything is there. */
  readonly synced: Promise<void>;
  /** Resolves once `condition` holds, looked at after every turn in which the document has changed. */
  until(condition: (text: string) => boolean, what?: string): Promise<void>;
  destroy(): void;
}

/** Each client gets a link of its own: BroadcastChannel, y-websocket's shortcut between tabs, is off. */
export function connectProvider(url: string, documentId: string, doc = new Y.Doc()): EditorClient {
  const provider = new WebsocketProvider(url, documentId, doc, {
    disableBc: true,
    maxBackoffTime: 200,
    // Node 20 has no global WebSocket; the types of `ws` differ from the browser's in events nobody uses here.
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
  });
  const text = doc.getText("text");
  const synced = new Promise<void>((resolve) => {
    provider.once("sync", () => resolve());
  });

  return {
    doc,
    text,
    provider,
    synced,
    until(condition) {
      return new Promise((resolve) => {
        let looking = false;
        function look(): void {
          looking = false;
          if (!condition(text.toString())) return;
          doc.off("update", lookSoon);
          resolve();
        }
        // Once for all updates of a turn: reading a large text for each of them would take longer than they do.
        function lookSoon(): void {
          if (looking) return;
          looking = true;
          setImmediate(look);
        }
        doc.on("update", lookSoon);
        look();
      });
    },
    destroy() {
      provider.destroy();
      doc.destroy();
    },
  };
}
