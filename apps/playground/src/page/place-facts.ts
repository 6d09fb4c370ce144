import type { InstanceSnapshot } from "teleportal";
import type { LinkState, PlaceEvent } from "../stage-contract.ts";
import { element } from "./element.ts";

const LINK = {
  whole: "whole",
  cut: "cut",
  dark: "dark: bytes vanish",
  none: "none needed",
} as const satisfies Record<LinkState, string>;

const SYNC = {
  connected: "connected",
  degraded: "degraded: local work goes on",
  closed: "closed",
  none: "a single instance",
  unknown: "does not say",
} as const satisfies Record<InstanceSnapshot["sync"], string>;

/** What is told of an instance, in the order of the table's rows. */
const FACTS: readonly (readonly [title: string, read: (snapshot: InstanceSnapshot) => string])[] = [
  ["Clients", ({ clients }) => String(clients)],
  ["Documents", ({ documents }) => String(documents)],
  [
    "Messages out / in",
    ({ counters }) => `${counters.brokerMessagesOut} / ${counters.brokerMessagesIn}`,
  ],
  ["Bytes out / in", ({ counters }) => `${counters.brokerBytesOut} / ${counters.brokerBytesIn}`],
  ["Broker and back", ({ roundTrips }) => milliseconds(roundTrips.latest)],
  ["Gaps found", ({ counters }) => String(counters.gaps)],
  [
    "Repairs asked / received / sent",
    ({ counters }) =>
      `${counters.repairsAsked} / ${counters.repairsReceived} / ${counters.repairsSent}`,
  ],
  ["Dropped out / in", ({ counters }) => `${counters.droppedOut} / ${counters.droppedIn}`],
];

/** One column of the table. */
export class PlaceFacts {
  readonly link: HTMLElement;
  readonly sync: HTMLElement;
  readonly cells: readonly HTMLElement[];

  constructor(place: string) {
    this.link = element("td", { "data-testid": `link-${place}` }, "…");
    this.sync = element("td", { "data-testid": `sync-${place}` }, "…");
    this.cells = FACTS.map(() => element("td", {}, "–"));
  }

  show({ running, link, snapshot }: PlaceEvent): void {
    this.link.textContent = LINK[link];
    this.link.dataset["state"] = link;
    const sync = running ? snapshot?.sync : undefined;
    this.sync.textContent =
      sync === undefined ? (running ? "starting …" : "not running") : SYNC[sync];
    this.sync.dataset["state"] = sync ?? "away";
    for (const [index, [, read]] of FACTS.entries()) {
      const cell = this.cells[index];
      if (cell !== undefined) cell.textContent = snapshot === undefined ? "–" : read(snapshot);
    }
  }

  /** For when nobody tells any more: what was true then would be taken for what is true now. */
  forget(): void {
    for (const cell of [this.link, this.sync, ...this.cells]) {
      cell.textContent = "not known";
      delete cell.dataset["state"];
    }
  }
}

export function createFactsTable(columns: ReadonlyMap<string, PlaceFacts>): HTMLElement {
  const all = [...columns.values()];
  const row = (title: string, cells: readonly HTMLElement[]): HTMLElement =>
    element("tr", {}, element("th", { scope: "row" }, title), ...cells);
  return element(
    "table",
    { class: "facts" },
    element("caption", {}, "What the instances say of themselves"),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        element("td"),
        ...[...columns.keys()].map((name) => element("th", { scope: "col" }, name)),
      ),
    ),
    element(
      "tbody",
      {},
      row(
        "Link",
        all.map(({ link }) => link),
      ),
      row(
        "Sync",
        all.map(({ sync }) => sync),
      ),
      ...FACTS.map(([title], index) =>
        row(
          title,
          all.flatMap(({ cells }) => cells[index] ?? []),
        ),
      ),
    ),
  );
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? "–" : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
