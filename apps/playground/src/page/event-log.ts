import { element } from "./element.ts";

const LINES = 20;

/** What has happened, in words, the latest first. */
export class EventLog {
  readonly element = element("ol", {
    role: "log",
    "aria-label": "What has happened",
    "data-testid": "log",
    class: "log",
  });

  say(what: string): void {
    const time = element("time", {}, new Date().toLocaleTimeString());
    this.element.prepend(element("li", {}, time, ` ${what}`));
    while (this.element.children.length > LINES) this.element.lastElementChild?.remove();
  }
}
