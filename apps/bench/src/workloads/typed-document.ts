import { connectClient } from "../client/bench-client.ts";
import type { BenchClient } from "../client/bench-client.ts";
import type { ClientProtocol } from "../client/client-protocol.ts";
import { createProgress } from "../client/progress.ts";
import type { Progress } from "../client/progress.ts";
import { concurrently } from "../concurrently.ts";
import type { Deployment } from "../deployment.ts";
import { textOf, updatesOf } from "../session/editing-session.ts";
import type { EditingSession } from "../session/editing-session.ts";

/** How many clients connect at once. */
const CONNECTING = 20;

interface Reader {
  readonly client: BenchClient;
  readonly progress: Progress;
}

/** A document that one person types and others read. */
export interface TypedDocument {
  readonly id: string;
  readonly session: EditingSession;
  readonly typist: BenchClient;
  readonly readers: readonly Reader[];
  /** How many keystrokes have been sent. */
  sent: number;
  /** How many of them every reader holds. */
  readonly arrived: number;
  /** Called when every reader holds more than before, with the time the last one got it. */
  onArrival: (at: number) => void;
}

export async function openTypedDocument(
  protocol: ClientProtocol,
  id: string,
  session: EditingSession,
  typistUrl: string,
  readerUrls: readonly string[],
): Promise<TypedDocument> {
  // How many readers hold each keystroke: none is looked at again when one hears something.
  const holders: number[] = [];
  const readers: Reader[] = [];
  let arrived = 0;

  function count(from: number, to: number, at: number): void {
    const before = arrived;
    for (let i = from; i < to; i++) {
      holders[i] = (holders[i] ?? 0) + 1;
      if (i === arrived && holders[i] === readerUrls.length) arrived += 1;
    }
    if (arrived > before) typed.onArrival(at);
  }

  readers.push(
    ...(await concurrently(readerUrls, CONNECTING, async (url) => {
      const progress = createProgress(session);
      const client = await connectClient(url, protocol, id, {
        onUpdate(update, at) {
          const before = progress.count;
          progress.take(update);
          count(before, progress.count, at);
        },
      });
      await client.synced;
      return { client, progress };
    })),
  );
  const typist = await connectClient(typistUrl, protocol, id);
  const typed: TypedDocument = {
    id,
    session,
    typist,
    readers,
    sent: 0,
    get arrived() {
      return arrived;
    },
    onArrival: () => {},
  };
  await typist.synced;
  return typed;
}

/** Typed on the first instance, read by one on the second. */
export function openTypedDocuments(
  { protocol, pair: [first, second], document }: Deployment,
  session: EditingSession,
  count: number,
): Promise<TypedDocument[]> {
  return concurrently(Array.from({ length: count }), CONNECTING, () =>
    openTypedDocument(protocol, document(), session, first.url, [second.url]),
  );
}

export function sendNext(typed: TypedDocument): void {
  const keystroke = typed.session.keystrokes[typed.sent];
  if (keystroke === undefined) {
    throw new Error(
      `[bench] the session has only ${typed.sent} keystrokes: take a longer trace or a smaller --scale`,
    );
  }
  typed.sent += 1;
  typed.typist.send(keystroke.update);
}

export async function closeTypedDocuments(documents: readonly TypedDocument[]): Promise<void> {
  await Promise.all(
    documents.flatMap(({ typist, readers }) => [
      typist.close(),
      ...readers.map(({ client }) => client.close()),
    ]),
  );
}

/** What was sent, what of it a reader has not, and whether each reader's document is what was typed. */
export function deliveryOf(documents: readonly TypedDocument[]): {
  readonly sent: number;
  readonly notDelivered: number;
  readonly equal: boolean;
} {
  let sent = 0;
  let notDelivered = 0;
  let equal = true;
  for (const typed of documents) {
    const expected = textOf(updatesOf(typed.session, typed.sent));
    sent += typed.sent;
    for (const { client, progress } of typed.readers) {
      notDelivered += typed.sent - progress.count;
      equal &&= textOf(client.updates) === expected;
    }
  }
  return { sent, notDelivered, equal };
}
