/** A process that holds idle clients: one process has not enough file descriptors for all of them. */
import process from "node:process";
import { concurrently } from "../concurrently.ts";
import { protocols } from "./client-protocol.ts";
import type { HolderAnswer, HolderQuestion } from "./holder-control.ts";
import { connectIdleClient } from "./idle-client.ts";
import type { IdleClient } from "./idle-client.ts";

const clients: IdleClient[] = [];

const send = (answer: HolderAnswer): void => void process.send?.(answer);

async function open(question: HolderQuestion & { readonly type: "open" }): Promise<void> {
  const { url, documents, connecting, awareness } = question;
  const protocol = protocols[question.protocol];
  let failed = 0;
  let said = false;
  await concurrently(documents, connecting, async (document) => {
    try {
      clients.push(await connectIdleClient(url, protocol, document, awareness));
    } catch (error) {
      failed += 1;
      if (!said) console.error(error);
      said = true;
    }
  });
  send({ type: "open", failed });
}

process.on("message", (question: HolderQuestion) => {
  switch (question.type) {
    case "open":
      void open(question);
      return;
    case "count":
      send({ type: "count", connected: clients.filter(({ connected }) => connected).length });
      return;
    case "close":
      process.exit(0);
  }
});
process.on("disconnect", () => process.exit(0));
send({ type: "ready" });
