import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

/** An ordinary y-websocket client, as an editor binding uses it, that types by itself. */
export interface Typist {
  readonly name: string;
  readonly text: Y.Text;
  readonly synced: Promise<void>;
  type(characters: string): void;
  /** Resolves once the text is `length` long. */
  until(length: number): Promise<void>;
  leave(): void;
}

export function createTypist(name: string, url: string, documentId: string): Typist {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(url, documentId, doc, {
    // Browser tabs of one machine would speak past the server; here everything goes over it.
    disableBc: true,
    // Node 20 has no global WebSocket, and the types of `ws` differ in events nobody uses here.
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
  });
  const text = doc.getText("text");
  provider.awareness.setLocalStateField("user", { name });

  return {
    name,
    text,
    synced: new Promise((resolve) => provider.once("sync", () => resolve())),
    type: (characters) => text.insert(text.length, characters),
    until(length) {
      return new Promise((resolve) => {
        function look(): void {
          if (text.length < length) return;
          doc.off("update", look);
          resolve();
        }
        doc.on("update", look);
        look();
      });
    },
    leave() {
      provider.destroy();
      doc.destroy();
    },
  };
}
