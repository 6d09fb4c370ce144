import type { InstanceSnapshot } from "teleportal";

/** What can be done to an instance: its link to the broker cut or made dark, itself restarted. */
export type Fault = "cut" | "darken" | "restart";

/**
 * The link between an instance and its broker. `cut`: closed and refused. `dark`: bytes vanish and nothing says so.
 * `none`: there is none to break.
 */
export type LinkState = "whole" | "cut" | "dark" | "none";

/** `GET /stage`: what the page shows. */
export interface StageDescription {
  /** Such as "Redis". */
  readonly backend: string;
  readonly places: readonly PlaceDescription[];
  /** What this backend allows to be done. */
  readonly faults: readonly Fault[];
}

export interface PlaceDescription {
  /** A letter. */
  readonly name: string;
  /** Where a y-websocket client connects to, such as `ws://127.0.0.1:4001`. */
  readonly url: string;
}

/** `GET /stage/<place>/events`: a stream of these (server-sent events), whenever something changes. */
export interface PlaceEvent {
  readonly running: boolean;
  readonly link: LinkState;
  /** The instance's own; missing while it is not running. */
  readonly snapshot?: InstanceSnapshot;
}

/** `POST /stage/<place>/<action>`; answered with 204 when it is done. */
export type StageAction = Fault | "heal";
