import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "@teleportal/test-editors/random";
import { showAtOnce } from "@teleportal/test-editors/show-at-once";
import { typeAWord } from "@teleportal/test-editors/type-a-word";
import type { Chapter, WrittenDocument } from "@teleportal/test-editors/write-together";
import { createFileDocumentStorage } from "teleportal/storage";
import { onTestFinished } from "vitest";
import * as Y from "yjs";
import { connectAuthors } from "./authors.ts";
import { openClient } from "./client.ts";
import type { Client } from "./client.ts";
import { createTruth, expectAllThere, expectToGoOn } from "./document-truth.ts";
import type { Service } from "./service.ts";
import { openSlowLink } from "./slow-link.ts";
import { createSplitBus } from "./split-bus.ts";
import type { SplitBus } from "./split-bus.ts";
import { startPlainServer } from "./start-plain-server.ts";
import { startTeleportal } from "./start-teleportal.ts";
import { untilAllHold } from "./until-all-hold.ts";

/** A way in which a document comes into editors; what comes of it is checked alike in all of them. */
export interface Situation {
  readonly name: string;
  run(written: WrittenDocument): Promise<void>;
}

const documentId = "doc";

/** So large is no edit of a test, but a reply of a repair, in bytes. */
const LARGE_BYTES = 16 * 1024;

/** How long a reply of a repair waits for a newcomer, at most, in milliseconds. */
const HOLD_MS = 400;

/** Two, as what one of them does wrong reaches the other. */
function openTwo(written: WrittenDocument, url: string): [Client, Client] {
  const { kind } = written;
  return [
    openClient("the first reader", { url, documentId, kind }),
    openClient("the second reader", { url, documentId, kind }),
  ];
}

/** What was there when somebody opened the document for the first time, and what was written since. */
function inTwo({
  chapters,
}: WrittenDocument): [before: readonly Chapter[], since: readonly Chapter[]] {
  const some = Math.max(1, Math.floor(chapters.length / 10));
  return [chapters.slice(0, some), chapters.slice(some)];
}

async function expectWhole(
  written: WrittenDocument,
  clients: readonly Client[],
  urls: readonly string[],
  timeout?: number,
): Promise<void> {
  const truth = createTruth([written.state]);
  await expectAllThere(clients, truth, written.content, timeout);
  await expectToGoOn(clients, truth, { urls, documentId });
}

export async function justTyped(written: WrittenDocument, { url }: Service): Promise<void> {
  const authors = await connectAuthors(url, documentId, written);
  await authors.write(written.chapters);
  await expectWhole(written, openTwo(written, url), [url]);
}

async function afterBeingOffline(written: WrittenDocument, { url }: Service): Promise<void> {
  const [before, since] = inTwo(written);
  const authors = await connectAuthors(url, documentId, written);
  await authors.write(before);
  const [first, second] = openTwo(written, url);
  await untilAllHold([first, second], createTruth(before.flat(3)).doc);
  first.provider.disconnect();
  second.provider.disconnect();
  await authors.write(since);
  first.provider.connect();
  second.provider.connect();
  await expectWhole(written, [first, second], [url]);
}

/** The same, but one of them goes on writing meanwhile. */
async function afterWritingOffline(written: WrittenDocument, { url }: Service): Promise<void> {
  const [before, since] = inTwo(written);
  const authors = await connectAuthors(url, documentId, written);
  await authors.write(before);
  const [first, second] = openTwo(written, url);
  await untilAllHold([first, second], createTruth(before.flat(3)).doc);
  first.provider.disconnect();
  const made = first.act((editor) => editor.type(createRandom(3)));
  second.provider.disconnect();
  await authors.write(since);
  first.provider.connect();
  second.provider.connect();
  const truth = createTruth([written.state, ...made]);
  const content = await showAtOnce(written.kind, Y.encodeStateAsUpdate(truth.doc));
  await expectAllThere([first, second], truth, content);
  await expectToGoOn([first, second], truth, { urls: [url], documentId });
}

/** As after a restart of the server that keeps nothing: a client brings it all. */
async function broughtByAClient(written: WrittenDocument, { url }: Service): Promise<void> {
  const authors = await connectAuthors(url, documentId, written);
  await authors.write([[[[written.state]]]]);
  await expectWhole(written, openTwo(written, url), [url]);
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "test-editors-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs an instance on the directory, and ends it when `during` has settled. */
async function withInstance(
  directory: string,
  during: (service: Service) => Promise<void>,
): Promise<void> {
  const storage = createFileDocumentStorage(directory);
  const service = await startTeleportal({ storage });
  try {
    await during(service);
  } finally {
    await service.stop();
    await storage.close();
  }
}

export async function fromDisk(written: WrittenDocument): Promise<void> {
  const directory = await temporaryDirectory();
  await withInstance(directory, async ({ url }) => {
    const authors = await connectAuthors(url, documentId, written);
    await authors.write(written.chapters);
    await authors.leave();
  });
  // Opened and left by one who only holds it: whatever the server makes of it on loading and closing is made.
  await withInstance(directory, async ({ url }) => {
    const visitor = openClient("a visitor", { url, documentId });
    await untilAllHold([visitor], createTruth([written.state]).doc);
    visitor.provider.destroy();
  });
  await withInstance(directory, async ({ url }) => {
    await expectWhole(written, openTwo(written, url), [url]);
  });
}

/** Two instances that keep their documents to themselves, and the link between them. */
async function startTwo() {
  const link = createSplitBus();
  const [here, there] = link.sides;
  return {
    link,
    here: await startTeleportal({ bus: here }),
    there: await startTeleportal({ bus: there }),
  };
}

/** Much was written here while the link was cut; who has it open there gets it when the link is back. */
async function overACutLink(
  written: WrittenDocument,
  comingIn: (world: World) => Promise<Client | undefined>,
): Promise<void> {
  const { link, here, there } = await startTwo();
  const [before, since] = inTwo(written);
  const authors = await connectAuthors(here.url, documentId, written);
  await authors.write(before);
  const readers = openTwo(written, there.url);
  await untilAllHold(readers, createTruth(before.flat(3)).doc);
  link.cut();
  await authors.write(since);
  const coming = comingIn({ link, there, written, reader: readers[0] });
  link.heal();
  // What is typed now tells the other instance that it has missed something.
  const { update, content } = await typeAWord(written, createRandom(2));
  await authors.write([[[[update]]]]);
  const truth = createTruth([written.state]);
  truth.add([update]);
  const newcomer = await coming;
  const clients = newcomer === undefined ? readers : [...readers, newcomer];
  await expectAllThere(clients, truth, content);
  await expectToGoOn(clients, truth, { urls: [here.url, there.url], documentId });
}

interface World {
  readonly link: SplitBus;
  readonly there: Service;
  readonly written: WrittenDocument;
  readonly reader: Client;
}

/** Resolves with a client that was opened when the first reply of the repair was on its way, and was there before the second came. */
function whileItIsRepaired({ link, there, written, reader }: World): Promise<Client> {
  return new Promise((resolve) => {
    let newcomer: Client | undefined;
    link.holdLarge(LARGE_BYTES, async () => {
      // The first reply passes; the second waits for the newcomer.
      if (newcomer !== undefined) {
        await untilSeen(newcomer, reader);
        return;
      }
      newcomer = openClient("a newcomer", { url: there.url, documentId, kind: written.kind });
      resolve(newcomer);
    });
  });
}

/** Resolves when `reader` knows that `newcomer` is there, so the server has answered it; or after a moment, as it may be made to wait. */
function untilSeen(newcomer: Client, reader: Client): Promise<void> {
  const { awareness } = reader.provider;
  return new Promise((resolve) => {
    function finish(): void {
      clearTimeout(timer);
      awareness.off("update", look);
      resolve();
    }
    function look(): void {
      if (awareness.getStates().has(newcomer.doc.clientID)) finish();
    }
    const timer = setTimeout(finish, HOLD_MS);
    awareness.on("update", look);
    look();
  });
}

/** An instance that has nothing gets everything from the other, for its first client. */
async function fromAPeer(written: WrittenDocument): Promise<void> {
  const { here, there } = await startTwo();
  const authors = await connectAuthors(here.url, documentId, written);
  await authors.write(written.chapters);
  await expectWhole(written, openTwo(written, there.url), [here.url, there.url]);
}

async function overASlowLink(written: WrittenDocument, bytesPerSecond: number): Promise<void> {
  const { url } = await startTeleportal();
  const authors = await connectAuthors(url, documentId, written);
  await authors.write(written.chapters);
  const slow = await openSlowLink(url, bytesPerSecond);
  const { kind } = written;
  const clients = [
    openClient("a reader far away", { url: slow, documentId, kind }),
    openClient("a reader nearby", { url, documentId, kind }),
  ];
  const seconds = written.state.length / bytesPerSecond;
  // Twice what it must take, and what the editor takes to show it.
  await expectWhole(written, clients, [url], 20_000 + 2000 * seconds);
}

/** Those that y-websocket's own server must bring about as well: the control. */
export const PLAIN_SITUATIONS: readonly Situation[] = [
  { name: "just typed", run: async (written) => justTyped(written, await startPlainServer()) },
  {
    name: "brought by a client",
    run: async (written) => broughtByAClient(written, await startPlainServer()),
  },
  {
    name: "after being offline",
    run: async (written) => afterBeingOffline(written, await startPlainServer()),
  },
  {
    name: "after one has written offline",
    run: async (written) => afterWritingOffline(written, await startPlainServer()),
  },
];

export const SITUATIONS: readonly Situation[] = [
  { name: "just typed", run: async (written) => justTyped(written, await startTeleportal()) },
  {
    name: "brought by a client",
    run: async (written) => broughtByAClient(written, await startTeleportal()),
  },
  { name: "loaded from disk", run: fromDisk },
  {
    name: "after being offline",
    run: async (written) => afterBeingOffline(written, await startTeleportal()),
  },
  {
    name: "after one has written offline",
    run: async (written) => afterWritingOffline(written, await startTeleportal()),
  },
  {
    name: "after the link between two instances was cut",
    run: (written) => overACutLink(written, async () => undefined),
  },
  {
    name: "opened while the instance is still being repaired",
    run: (written) => overACutLink(written, whileItIsRepaired),
  },
  { name: "fetched from another instance", run: fromAPeer },
  { name: "over a link of 200 KB/s", run: (written) => overASlowLink(written, 200_000) },
];

/** What a poor mobile connection carries: a document of 2 MB takes longer than y-websocket waits for a message. */
export const MOBILE_SITUATION: Situation = {
  name: "over a link of 50 KB/s",
  run: (written) => overASlowLink(written, 50_000),
};
