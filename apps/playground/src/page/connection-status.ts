import type { WebsocketProvider } from "y-websocket";
import { element } from "./element.ts";

const WORDS = {
  connected: "connected",
  connecting: "connecting …",
  disconnected: "offline: what you type is kept here and sent when it is back",
} as const;

type Status = keyof typeof WORDS;

/** Says in words whether a provider is in touch with its instance. */
export function createConnectionStatus(place: string, provider: WebsocketProvider): HTMLElement {
  const shown = element("span", { "data-testid": `status-${place}`, "aria-live": "polite" });
  let lost = false;

  function show(status: Status): void {
    // Who has lost the instance tries every second to reach it: that is one piece of news, not many.
    lost = status === "disconnected" || (lost && status === "connecting");
    const state = lost ? "disconnected" : status;
    if (shown.dataset["state"] === state) return;
    shown.dataset["state"] = state;
    shown.textContent = WORDS[state];
  }

  show("connecting");
  provider.on("status", (event: { status: Status }) => show(event.status));
  return shown;
}
