import type { InstanceSnapshot } from "teleportal";
import type { PlaceEvent, StageDescription } from "../stage-contract.ts";
import { element } from "./element.ts";
import { EventLog } from "./event-log.ts";
import { KeystrokeWay } from "./keystroke-way.ts";
import { PlaceControls } from "./place-controls.ts";
import { createFactsTable, PlaceFacts } from "./place-facts.ts";
import { watchPlace } from "./stage-client.ts";
import type { TypingLag } from "./typing-lag.ts";

/** A difference that lasted so long, in milliseconds, was more than a keystroke on its way. */
const NOTEWORTHY = 1000;

/** What stands between the panes: the way of the keystrokes, how the instances are, and what breaks them. */
export class Strip {
  readonly element: HTMLElement;
  readonly log = new EventLog();
  readonly #equal = element("strong", { "data-testid": "equal", "aria-live": "polite" }, "…");
  readonly #lag = element("span", { "data-testid": "lag" }, "not measured yet, type something");
  readonly #way: KeystrokeWay;
  readonly #controls: ReadonlyMap<string, PlaceControls>;
  readonly #facts: ReadonlyMap<string, PlaceFacts>;
  readonly #last = new Map<string, PlaceEvent>();
  #differentSince = Number.POSITIVE_INFINITY;
  #gone = false;

  /** `verdict`: whether both texts are on this page, to be compared. */
  constructor(
    { backend, places, faults }: StageDescription,
    { verdict }: { readonly verdict: boolean },
  ) {
    const names = places.map(({ name }) => name);
    this.#way = new KeystrokeWay(names, backend);
    this.#facts = new Map(names.map((name) => [name, new PlaceFacts(name)]));
    this.#controls = new Map(
      names.map((name) => [name, new PlaceControls(name, faults, (what) => this.log.say(what))]),
    );
    const controls = [...this.#controls.values()].map((place) => place.element);
    const hints: HTMLElement[] = [];
    if (!faults.includes("cut")) {
      hints.push(
        element(
          "p",
          { class: "hint" },
          "Both instances live in one process: there is no link to cut.",
        ),
      );
    }
    this.element = element(
      "section",
      { class: "strip", "aria-label": "Between the instances" },
      this.#way.element,
      element(
        "p",
        { class: "verdict", hidden: !verdict },
        "The texts are ",
        this.#equal,
        ". A keystroke to the other side: ",
        this.#lag,
        ".",
      ),
      element("div", { class: "controls" }, ...controls),
      ...hints,
      createFactsTable(this.#facts),
      this.log.element,
    );
    for (const name of names) {
      watchPlace(
        name,
        (event) => this.#show(name, event),
        () => this.#lose(name),
      );
    }
  }

  showEqual(equal: boolean): void {
    const word = equal ? "equal" : "different";
    if (this.#equal.textContent === word) return;
    const now = performance.now();
    if (!equal) this.#differentSince = now;
    else if (now - this.#differentSince > NOTEWORTHY) this.log.say("the texts are equal again");
    this.#equal.textContent = word;
    this.#equal.dataset["state"] = word;
  }

  showLag({ latest = 0, median = 0 }: TypingLag): void {
    this.#lag.textContent = `${latest.toFixed(1)} ms (median ${median.toFixed(1)} ms)`;
  }

  #lose(place: string): void {
    this.#facts.get(place)?.forget();
    if (this.#gone) return;
    this.#gone = true;
    this.log.say("the stage has stopped: start it with npm start, then load this page again");
  }

  #show(place: string, event: PlaceEvent): void {
    this.#gone = false;
    const last = this.#last.get(place);
    this.#last.set(place, event);
    this.#facts.get(place)?.show(event);
    this.#controls.get(place)?.showLink(event.link);
    this.#way.showLink(place, event.link);
    if (event.snapshot === undefined) return;
    const before = last?.snapshot;
    // An instance that was started again counts from nothing.
    if (before === undefined || before.instance !== event.snapshot.instance) return;
    this.#way.travel(place, before, event.snapshot);
    this.#tell(place, before, event.snapshot);
  }

  #tell(place: string, before: InstanceSnapshot, after: InstanceSnapshot): void {
    if (before.sync !== after.sync) this.log.say(`${place} is ${after.sync}`);
    const received = after.counters.repairsReceived - before.counters.repairsReceived;
    if (received > 0) {
      const answers = `${received} answer${received === 1 ? "" : "s"}`;
      this.log.say(`${place} was brought up to date: ${answers}`);
    }
  }
}
