import type { Fault, LinkState, StageAction } from "../stage-contract.ts";
import { element } from "./element.ts";
import { act } from "./stage-client.ts";

const TITLES = {
  cut: "Cut the link",
  darken: "Darken the link",
  heal: "Heal the link",
  restart: "Restart the instance",
} as const satisfies Record<StageAction, string>;

const DONE = {
  cut: "link cut",
  darken: "link darkened",
  heal: "link healed",
  restart: "killed, and started again",
} as const satisfies Record<StageAction, string>;

/** What an action does to the link, if anything: pressing it again would change nothing. */
const LEAVES = {
  cut: "cut",
  darken: "dark",
  heal: "whole",
  restart: undefined,
} as const satisfies Record<StageAction, LinkState | undefined>;

/** The buttons that break an instance's surroundings, and mend them. */
export class PlaceControls {
  readonly element: HTMLElement;
  readonly #place: string;
  readonly #say: (what: string) => void;
  readonly #buttons: ReadonlyMap<StageAction, HTMLButtonElement>;
  #link: LinkState = "none";
  #underWay: StageAction | undefined;

  constructor(place: string, faults: readonly Fault[], say: (what: string) => void) {
    this.#place = place;
    this.#say = say;
    const breaking: readonly StageAction[] = faults.filter((fault) => fault !== "restart");
    const healing: readonly StageAction[] = breaking.length > 0 ? ["heal"] : [];
    const restarting = faults.filter((fault) => fault === "restart");
    const actions: readonly StageAction[] = [...breaking, ...healing, ...restarting];
    this.#buttons = new Map(actions.map((action) => [action, this.#button(action)]));
    this.element = element(
      "div",
      { class: "place-controls", role: "group", "aria-label": `Break ${place}` },
      element("strong", {}, `Break ${place}`),
      ...this.#buttons.values(),
    );
  }

  showLink(link: LinkState): void {
    this.#link = link;
    this.#enable();
  }

  #button(action: StageAction): HTMLButtonElement {
    const attributes = { type: "button", "data-testid": `${action}-${this.#place}` };
    const button = element("button", attributes, TITLES[action]);
    button.addEventListener("click", () => void this.#press(action));
    return button;
  }

  async #press(action: StageAction): Promise<void> {
    this.#underWay = action;
    this.#enable();
    try {
      await act(this.#place, action);
      this.#say(`${this.#place}: ${DONE[action]}`);
    } catch (error) {
      this.#say(`${this.#place}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#underWay = undefined;
      this.#enable();
    }
  }

  #enable(): void {
    for (const [action, button] of this.#buttons) {
      button.disabled = this.#underWay !== undefined || LEAVES[action] === this.#link;
    }
  }
}
