import { readAuthMessage } from "y-protocols/auth";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import type { Person } from "./person.ts";

/** y-websocket's number for a message by which a server refuses something. */
const AUTH_MESSAGE = 2;

/** A document as one pane has it: the ordinary y-websocket provider, connected to one instance. */
export class SharedDocument {
  readonly doc = new Y.Doc();
  readonly provider: WebsocketProvider;
  readonly text: Y.Text;
  readonly richText: Y.XmlFragment;

  constructor(url: string, name: string, options: { readonly readOnly: boolean }) {
    // y-websocket puts the name into an address as it is: `?` and `%` would mean something there.
    this.provider = new WebsocketProvider(url, encodeURIComponent(name), this.doc, {
      // Two panes of one browser would speak past their servers.
      disableBc: true,
      maxBackoffTime: 1000,
      params: options.readOnly ? { readonly: "1" } : {},
    });
    this.text = this.doc.getText("text");
    this.richText = this.doc.getXmlFragment("rich-text");
  }

  introduce(person: Person): void {
    this.provider.awareness.setLocalStateField("user", person);
  }

  /** Calls `refused` with the server's reason when it does not take something. */
  onRefusal(refused: (reason: string) => void): void {
    this.provider.messageHandlers[AUTH_MESSAGE] = (_encoder, decoder) => {
      readAuthMessage(decoder, this.doc, (_doc, reason) => refused(reason));
    };
  }
}
