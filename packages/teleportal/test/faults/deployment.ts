import { appendFileSync } from "node:fs";
import process from "node:process";
import { expect } from "vitest";
import { freePort } from "@teleportal/test-brokers";
import type { Link } from "@teleportal/sync-core/conformance";
import type { BrokerKind, DeployedBroker } from "../brokers/broker-kinds.ts";
import { connectProvider } from "../server/connect-provider.ts";
import type { EditorClient } from "../server/connect-provider.ts";
import { runCommandUnder } from "../server/serve-process.ts";
import type { CommandProcess } from "../server/serve-process.ts";

const DOCUMENT = "room1/doc456";

/** One server process, its own link to the broker, and an editor on it. */
export interface Place {
  readonly name: string;
  readonly url: string;
  /** @throws if the broker is not reached through one */
  readonly link: Link;
  readonly editor: EditorClient;
  readonly server: CommandProcess;
  /** Types marked text that must never be lost. */
  type(count?: number): void;
  paste(length: number): void;
  /** Erases the oldest marked text that this editor sees; it must never come back. */
  erase(count?: number): void;
  /** SIGKILL, and a new process on the same port that knows nothing. */
  killAndRestart(): Promise<void>;
  pause(): void;
  resume(): void;
}

/** A deployment as in production: a real broker, server processes, a link each, real y-websocket editors. */
export interface Deployment extends AsyncDisposable {
  readonly broker: DeployedBroker;
  readonly places: readonly Place[];
  join(place: Place): EditorClient;
  /** Everything typed so far is at every editor. */
  settled(): Promise<void>;
  /**
   * The fault is over: within what its broker promises (see `upTo`), with no further edit, every editor and a fresh one on each instance holds every
   * keystroke and nothing that was erased. Returns the milliseconds it took.
   */
  converges(title: string): Promise<number>;
}

export async function deploy(
  kind: BrokerKind,
  count = 2,
  options: { readonly brokerLater?: boolean; readonly nodeOptions?: readonly string[] } = {},
): Promise<Deployment> {
  const broker = await kind.start();
  if (options.brokerLater) await broker.kill();
  let isAway = options.brokerLater ?? false;
  const written = new Set<string>();
  const erased = new Set<string>();
  const extra: EditorClient[] = [];
  const links: Link[] = [];
  let marks = 0;

  async function place(name: string): Promise<Place> {
    const { sync, link } = await broker.openWay();
    if (link !== undefined) links.push(link);
    const own = await freePort();
    const args = ["serve", "--port", String(own), "--sync", sync];
    const start = (): CommandProcess => runCommandUnder(options.nodeOptions ?? [], ...args);
    let server = start();
    await server.printed(/listening/);
    const url = `ws://127.0.0.1:${own}`;
    const editor = connectProvider(url, DOCUMENT);
    await editor.synced;

    return {
      name,
      url,
      get link() {
        if (link === undefined) throw new Error(`${kind.title} is not reached through a link`);
        return link;
      },
      editor,
      get server() {
        return server;
      },
      type(times = 1) {
        for (let i = 0; i < times; i++) {
          const mark = `[${name}${marks++}]`;
          written.add(mark);
          // At the front, the middle or the end: what another has typed there meanwhile is around it.
          editor.text.insert(between(editor.text.toString(), marks), mark);
        }
      },
      paste(length) {
        const mark = `[${name}${marks++}]`;
        written.add(mark);
        editor.text.insert(0, `${"x".repeat(length)}${mark}`);
      },
      erase(times = 1) {
        for (let i = 0; i < times; i++) {
          const found = /\[[^\]]*\]/.exec(editor.text.toString());
          if (found === null) return;
          editor.text.delete(found.index, found[0].length);
          written.delete(found[0]);
          erased.add(found[0]);
        }
      },
      async killAndRestart() {
        server.child.kill("SIGKILL");
        await server.exited;
        server = start();
        await server.printed(/listening/);
      },
      pause: () => void server.child.kill("SIGSTOP"),
      resume: () => void server.child.kill("SIGCONT"),
    };
  }

  const places: Place[] = [];
  for (let i = 0; i < count; i++) places.push(await place("ABCDE"[i] ?? "?"));

  function holds(text: string): boolean {
    for (const mark of written) if (!text.includes(mark)) return false;
    for (const mark of erased) if (text.includes(mark)) return false;
    return true;
  }

  async function allHold(editors: readonly EditorClient[], limit: number): Promise<void> {
    const late = new Promise<never>((_resolve, reject) => {
      setTimeout(() => reject(new Error(`not everywhere after ${limit} ms`)), limit).unref();
    });
    await Promise.race([Promise.all(editors.map((editor) => editor.until(holds))), late]);
  }

  const editors = (): EditorClient[] => [...places.map(({ editor }) => editor), ...extra];

  return {
    broker,
    places,
    join({ url }) {
      const editor = connectProvider(url, DOCUMENT);
      extra.push(editor);
      return editor;
    },
    settled: () => allHold(editors(), 60_000),
    async converges(title) {
      if (isAway) await broker.restart();
      isAway = false;
      const started = performance.now();
      await allHold(editors(), upTo(kind.promise));
      const fresh = places.map(({ url }) => connectProvider(url, DOCUMENT));
      extra.push(...fresh);
      await Promise.all(fresh.map(({ synced }) => synced));
      const took = performance.now() - started;
      const [first] = editors();
      for (const editor of editors()) {
        expect(editor.text.toString()).toBe(first?.text.toString());
        expect(holds(editor.text.toString())).toBe(true);
      }
      expect(took).toBeLessThan(upTo(kind.promise));
      report(kind.title, title, took);
      return took;
    },
    async [Symbol.asyncDispose]() {
      for (const editor of editors()) editor.destroy();
      for (const { server } of places) server.child.kill("SIGKILL");
      await Promise.all(places.map(({ server }) => server.exited));
      await Promise.all(links.map((link) => link.close()));
      await broker.stop();
    },
  };
}

/**
 * `npm run faults` measures, and holds to what is promised. Beside other tests on a busy machine it may take longer: there it is asked
 * that all comes to its end.
 */
export function upTo(promise: number): number {
  return process.env["FAULTS_REPORT"] === undefined ? promise * 3 : promise;
}

/** An index that is in no mark: right behind one, or at the front. */
function between(text: string, salt: number): number {
  const ends = [0, ...[...text.matchAll(/\]/g)].map(({ index }) => index + 1)];
  return ends[salt % ends.length] ?? 0;
}

function report(broker: string, title: string, took: number): void {
  const file = process.env["FAULTS_REPORT"];
  if (file === undefined) return;
  appendFileSync(file, `${JSON.stringify({ broker, title, took: Math.round(took) })}\n`);
}
