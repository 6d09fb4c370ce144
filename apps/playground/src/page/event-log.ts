import { element } from "./element.ts";

const LINES = 20;

/** What has happened, in words, the latest first. */
export class EventLog {
  readonly element: HTMLElement;
  readonly #lines = element("ol");

  constructor() {
    this.element = element(
      "div",
      // Scrolled by keyboard, it has to be reached by keyboard.
      { role: "log", "aria-label": "Log", "data-testid": "log", class: "log", tabindex: "0" },
      element("p", { class: "hint" }, "What has happened, the latest first"),
      this.#lines,
    );
  }

  say(what: string): void {
    const time = element("time", {}, new Date().toLocaleTimeString([], { hourCycle: "h23" }));
    this.#lines.prepend(element("li", {}, time, ` ${what}`));
    while (this.#lines.children.length > LINES) this.#lines.lastElementChild?.remove();
  }
}
