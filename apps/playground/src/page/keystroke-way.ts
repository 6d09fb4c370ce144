import type { InstanceSnapshot } from "teleportal";
import type { LinkState } from "../stage-contract.ts";
import { element } from "./element.ts";

/** So many dots at once show a burst well enough. */
const DOTS = 6;

/** Between two dots of a burst, in milliseconds. */
const BETWEEN = 50;

/**
 * How long a dot takes for its half of the way, in milliseconds, as the style sheet has it. What arrives waits for as long, so
 * that it is seen to leave the broker after it has got there.
 */
const HALF = 450;

/** The way between the instances, and dots that travel it as the instances' counters grow. */
export class KeystrokeWay {
  readonly element: HTMLElement;
  readonly #halves: ReadonlyMap<string, HTMLElement>;

  constructor(places: readonly string[], backend: string) {
    this.#halves = new Map(
      places.map((place) => [place, element("span", { class: "half", "data-place": place })]),
    );
    const [first, second] = [...this.#halves.values()];
    const [left = "", right = ""] = places;
    this.element = element(
      "div",
      {
        class: "way",
        role: "img",
        "aria-label": `Keystrokes travel from ${left} to ${backend} to ${right}, and back`,
      },
      element("span", { class: "station", "data-place": left }, left),
      ...(first ? [first] : []),
      element("span", { class: "station broker" }, backend),
      ...(second ? [second] : []),
      element("span", { class: "station", "data-place": right }, right),
    );
  }

  showLink(place: string, link: LinkState): void {
    const half = this.#halves.get(place);
    if (half !== undefined) half.dataset["state"] = link;
  }

  /** Lets the dots go that stand for what the instance has sent and received between the two snapshots. */
  travel(place: string, before: InstanceSnapshot, after: InstanceSnapshot): void {
    const [was, is] = [before.counters, after.counters];
    this.#send(place, "out", is.brokerMessagesOut - was.brokerMessagesOut);
    this.#send(place, "in", is.brokerMessagesIn - was.brokerMessagesIn);
  }

  #send(place: string, direction: "out" | "in", count: number): void {
    const half = this.#halves.get(place);
    if (half === undefined) return;
    for (let i = 0; i < Math.min(count, DOTS); i++) {
      const dot = element("i", { class: `dot ${direction}` });
      const delay = i * BETWEEN + (direction === "in" ? HALF : 0);
      dot.style.animationDelay = `${delay}ms`;
      dot.addEventListener("animationend", () => dot.remove());
      // Where nothing moves, by the visitor's wish, the animation never ends.
      setTimeout(() => dot.remove(), 2000);
      half.append(dot);
    }
  }
}
