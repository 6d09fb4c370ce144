import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { startAskedProcess } from "../asked-process.ts";
import type { AskedProcess } from "../asked-process.ts";
import type { HolderAnswer, HolderQuestion } from "../client/holder-control.ts";
import type { Deployment } from "../deployment.ts";
import { openFileLimit } from "../open-file-limit.ts";
import { atMost, scaled } from "./workload.ts";
import type { Workload } from "./workload.ts";

const DOCUMENTS = 10_000;
/** Opened before anything is measured, so that code and pools are there. */
const WARM_UP = 300;
/** Files that a process needs for anything but clients. */
const OTHER_FILES = 200;
/** Clients of each instance that connect at once. */
const CONNECTING = 25;
/** The emulator needs tens of milliseconds for each document. */
const DOCUMENTS_EMULATED = 1000;
/**
 * How long the servers are given to say what there is to say; then to become idle, as V8 collects what opening has left within
 * a minute, if it is not asked to, and takes as long to compile what runs while idle; and are watched, in milliseconds.
 */
const SETTLING = 15_000;
const BECOMING_IDLE = 45_000;
const WATCHED = 24_000;

type Holder = AskedProcess<HolderQuestion, HolderAnswer>;

function startHolder(): Promise<Holder> {
  return startAskedProcess({ node: process.execPath, file: "client/idle-holder.ts", env: {} });
}

/** Opens the documents on both instances at once, a holder for each; returns how many clients were refused. */
async function open(
  { pair, contender }: Deployment,
  holders: readonly Holder[],
  documents: readonly string[],
  awareness: boolean,
): Promise<number> {
  const { protocol } = contender;
  const opened = await Promise.all(
    holders.map((holder, i) =>
      holder.ask({
        type: "open",
        url: pair[i % 2 === 0 ? 0 : 1].url,
        protocol,
        documents,
        connecting: CONNECTING,
        awareness,
      }),
    ),
  );
  return opened.reduce((sum, answer) => sum + (answer.type === "open" ? answer.failed : 0), 0);
}

async function connected(holders: readonly Holder[]): Promise<number> {
  const counted = await Promise.all(holders.map((holder) => holder.ask({ type: "count" })));
  return counted.reduce((sum, each) => sum + (each.type === "count" ? each.connected : 0), 0);
}

async function memory({
  pair,
}: Deployment): Promise<{ readonly rss: number; readonly heap: number }> {
  await Promise.all(pair.map((instance) => instance.collectGarbage()));
  const usages = await Promise.all(pair.map((instance) => instance.usage()));
  const mean = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0) / 2;
  return {
    rss: mean(usages.map(({ rss }) => rss)),
    heap: mean(usages.map(({ heap, external }) => heap + external)),
  };
}

export const idle: Workload = {
  name: "idle",
  title: "many documents open on each of two instances, a client each on each, and nobody types",
  metrics: {
    open: { title: "time to open a document on both instances, ms", digits: 2, compared: true },
    openCpu: { title: "CPU of both instances to open it, ms", digits: 2, compared: false },
    heap: {
      title: "heap and external memory per document and instance, KiB",
      digits: 1,
      compared: true,
    },
    rss: { title: "resident memory per document and instance, KiB", digits: 1, compared: true },
    cpu: { title: "CPU of both instances while idle, % of a core", digits: 2, compared: true },
    settling: {
      title: "broker messages per document before it falls silent",
      digits: 1,
      compared: false,
    },
    messages: { title: "broker messages a second while idle", digits: 1, compared: true },
  },
  fresh: true,
  rounds: atMost(1),
  needsDocument: false,
  async run(deployment, { scale, awareness }) {
    const wanted = scaled(DOCUMENTS, scale, 100);
    const limit = openFileLimit();
    const possible = (limit ?? Infinity) - OTHER_FILES - WARM_UP;
    const emulated = deployment.contender.emulated ? DOCUMENTS_EMULATED : wanted;
    const count = Math.min(wanted, possible, emulated);
    let note = `${count} documents on each instance`;
    if (emulated < wanted) note += `, not ${wanted}: the emulator takes its time`;
    else if (count < wanted) note += `, not ${wanted}: a process may open ${limit} files here`;
    const watched = scaled(WATCHED, scale, 5000);
    const ids = (length: number) => Array.from({ length }, deployment.document);
    const holders: Holder[] = [];
    try {
      const warming = await Promise.all([startHolder(), startHolder()]);
      holders.push(...warming);
      await open(deployment, warming, ids(WARM_UP), awareness);
      await wait(1000);

      holders.push(...(await Promise.all([startHolder(), startHolder()])));
      const measured = holders.slice(2);
      const before = await memory(deployment);
      const publishedBefore = await deployment.published();
      const cpuBefore = await deployment.cpu();
      const startedAt = performance.now();
      const refused = await open(deployment, measured, ids(count), awareness);
      const took = performance.now() - startedAt;
      const openCpu = (await deployment.cpu()) - cpuBefore;

      await wait(SETTLING);
      await memory(deployment);
      await wait(BECOMING_IDLE);
      const idleFrom = performance.now();
      const [cpu, published] = await Promise.all([deployment.cpu(), deployment.published()]);
      await wait(watched);
      const [cpuAfter, publishedAfter] = await Promise.all([
        deployment.cpu(),
        deployment.published(),
      ]);
      const idleFor = performance.now() - idleFrom;
      // Last: collecting garbage has V8 look for more of it for some seconds.
      const after = await memory(deployment);
      const lost = 2 * count - (await connected(measured));
      return [
        {
          values: {
            open: took / count,
            openCpu: openCpu / 1000 / count,
            heap: (after.heap - before.heap) / 1024 / count,
            rss: (after.rss - before.rss) / 1024 / count,
            cpu: ((cpuAfter - cpu) / 1000 / idleFor) * 100,
            settling: (published - publishedBefore) / count,
            messages: ((publishedAfter - published) / idleFor) * 1000,
          },
          sent: 2 * count,
          // A client that was refused or cut off: its document is not open, and costs nothing.
          notDelivered: Math.max(refused, lost),
          equal: true,
          note,
        },
      ];
    } finally {
      await Promise.all(holders.map((holder) => holder.end({ type: "close" })));
    }
  },
};
