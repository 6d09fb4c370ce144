import { JSDOM } from "jsdom";

/** What editors ask a browser for that jsdom has not: nothing here has a place on a screen. */
const NO_RECT = { x: 0, y: 0, top: 0, right: 0, bottom: 0, left: 0, width: 0, height: 0 };

const { window } = new JSDOM("<!doctype html><html><body></body></html>", {
  pretendToBeVisual: true,
  url: "http://localhost/",
});

const rectList = Object.assign([], { item: () => null });
for (const prototype of [window.Range.prototype, window.Element.prototype]) {
  Object.assign(prototype, {
    getClientRects: () => rectList,
    getBoundingClientRect: () => ({ ...NO_RECT, toJSON: () => NO_RECT }),
  });
}
Object.assign(window.Element.prototype, { scrollIntoView() {} });
Object.assign(window.Document.prototype, { elementFromPoint: () => null });

class NothingToObserve {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

/**
 * The names that the editors look up as globals. Not all of the window: Node's own `Event`, `WebSocket` or `AbortSignal` stay, as the
 * server runs in this process too.
 */
const NAMES = [
  "Window",
  "document",
  "navigator",
  "Node",
  "Text",
  "Element",
  "HTMLElement",
  "HTMLAnchorElement",
  "HTMLInputElement",
  "HTMLImageElement",
  "HTMLTableElement",
  "HTMLStyleElement",
  "SVGElement",
  "Document",
  "DocumentFragment",
  "DOMParser",
  "Range",
  "Selection",
  "NodeFilter",
  "MutationObserver",
  "KeyboardEvent",
  "InputEvent",
  "CompositionEvent",
  "MouseEvent",
  "getComputedStyle",
  "getSelection",
  "requestAnimationFrame",
  "cancelAnimationFrame",
  "innerHeight",
  "innerWidth",
] as const;

function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

define("window", window);
for (const name of NAMES) {
  const value: unknown = window[name as keyof typeof window];
  // Functions of the window want it as `this`; classes do not.
  const isFunction = typeof value === "function" && /^[a-z]/.test(name);
  define(name, isFunction ? value.bind(window) : value);
}
for (const target of [globalThis, window]) {
  Object.assign(target, {
    ResizeObserver: NothingToObserve,
    IntersectionObserver: NothingToObserve,
    matchMedia: () => ({ matches: false, addEventListener() {}, removeEventListener() {} }),
  });
}

/** An element in the page, for an editor to live in. */
export function createHost(): HTMLElement {
  const host = window.document.createElement("div");
  window.document.body.append(host);
  return host;
}
