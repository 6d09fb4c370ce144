import type { Link } from "@teleportal/sync-core/conformance";
import type { InstanceSnapshot } from "teleportal";
import type { Fault, LinkState, PlaceEvent, StageAction } from "../stage-contract.ts";
import { followSnapshots } from "./follow-snapshots.ts";
import type { RunningInstance, StartInstance } from "./running-instance.ts";

/** One instance, its own way to the broker, and what is known of them. */
export class Place {
  readonly name: string;
  readonly #start: StartInstance;
  readonly #link: Link | undefined;
  readonly #watchers = new Set<(event: PlaceEvent) => void>();
  #instance: RunningInstance | undefined;
  #port = 0;
  #linkState: LinkState;
  #snapshot: InstanceSnapshot | undefined;
  #following = new AbortController();
  /** Actions are done one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(name: string, start: StartInstance, link: Link | undefined) {
    this.name = name;
    this.#start = start;
    this.#link = link;
    this.#linkState = link === undefined ? "none" : "whole";
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  get faults(): readonly Fault[] {
    return this.#link === undefined ? ["restart"] : ["cut", "darken", "restart"];
  }

  /** Calls `watcher` now, and whenever something changes; returns what ends that. */
  watch(watcher: (event: PlaceEvent) => void): () => void {
    this.#watchers.add(watcher);
    watcher(this.#event());
    return () => void this.#watchers.delete(watcher);
  }

  async open(port: number): Promise<void> {
    this.#port = port;
    const { address } = this;
    const instance = await this.#start(this.#port, address);
    this.#instance = instance;
    this.#port = instance.port;
    this.#follow();
    void instance.ended?.then(() => this.#noteEndOf(instance));
  }

  do(action: StageAction): Promise<void> {
    const done = this.#last.then(() => this.#do(action));
    this.#last = done.catch(() => {});
    return done;
  }

  async close(): Promise<void> {
    await this.#last;
    this.#following.abort();
    await this.#instance?.kill();
    await this.#link?.close();
  }

  get address(): string | undefined {
    return this.#link && `${this.#link.host}:${this.#link.port}`;
  }

  async #do(action: StageAction): Promise<void> {
    switch (action) {
      case "restart":
        await this.#restart();
        break;
      case "cut":
        await this.#needLink().cut();
        this.#linkState = "cut";
        break;
      case "darken":
        // A link that was cut has no connection that could become dark.
        await this.#needLink().heal();
        await this.#needLink().darken();
        this.#linkState = "dark";
        break;
      case "heal":
        await this.#needLink().heal();
        this.#linkState = "whole";
    }
    this.#changed();
  }

  async #restart(): Promise<void> {
    this.#following.abort();
    await this.#instance?.kill();
    this.#instance = this.#snapshot = undefined;
    this.#changed();
    await this.open(this.#port);
  }

  /** It may have ended by itself. */
  #noteEndOf(instance: RunningInstance): void {
    if (this.#instance !== instance) return;
    this.#following.abort();
    this.#instance = this.#snapshot = undefined;
    this.#changed();
  }

  #needLink(): Link {
    if (this.#link === undefined) throw new Error(`[playground] ${this.name} has no link to break`);
    return this.#link;
  }

  #follow(): void {
    this.#following = new AbortController();
    void followSnapshots(this.#port, this.#following.signal, (snapshot) => {
      this.#snapshot = snapshot;
      this.#changed();
    });
  }

  #changed(): void {
    const event = this.#event();
    for (const watcher of this.#watchers) watcher(event);
  }

  #event(): PlaceEvent {
    const snapshot = this.#snapshot;
    return {
      running: this.#instance !== undefined,
      link: this.#linkState,
      ...(snapshot && { snapshot }),
    };
  }
}
