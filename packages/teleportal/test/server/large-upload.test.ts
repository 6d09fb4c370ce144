import { encodeSyncStep2, encodeUpdateFrame } from "@teleportal/sync-core";
import { CloseCode } from "teleportal";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { connectEditor } from "./connect-editor.ts";
import { outcomeOf } from "./outcome-of.ts";
import { connectRaw } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";
import { updateOf } from "./update-of.ts";

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;
const LIMITS = { documentBytes: MEBIBYTE, frameBytes: 64 * KIBIBYTE };

/** Lines that an operator looks at: of a document, with the limit in bytes. */
function warnings(log: readonly string[], documentId: string, limit: number): string[] {
  return log.filter(
    (line) =>
      /^(warn|error) /.test(line) && line.includes(documentId) && line.includes(String(limit)),
  );
}

describe("a client that brings a whole document", () => {
  it("larger than a frame may be is taken in, if it grew by edits that are not", async () => {
    const { url } = await startInstance();
    const doc = new Y.Doc();
    for (let i = 0; i < 20; i++) doc.getText("text").insert(0, String(i % 10).repeat(MEBIBYTE));
    const witness = connectEditor(url, "doc");
    await witness.synced;
    const owner = connectEditor(url, "doc", doc);
    const closed = new Promise<number | undefined>((resolve) => {
      owner.provider.on("connection-close", (event) => resolve(event?.code));
    });
    const arrived = witness.until((text) => text.length === 20 * MEBIBYTE);
    expect(await Promise.race([closed, arrived.then(() => "arrived")])).toBe("arrived");
  });

  it("larger than a frame and smaller than a document may be is taken in", async () => {
    const { url } = await startInstance({ limits: LIMITS });
    const client = await connectRaw(url, "minutes");
    const update = updateOf("x".repeat(500 * KIBIBYTE));
    expect(await outcomeOf(client, encodeSyncStep2(update))).toBe("taken");
  });

  it("larger than a document may be is closed for good, logged and counted", async () => {
    const { url, server, log } = await startInstance({ limits: LIMITS });
    const good = connectEditor(url, "minutes");
    await good.synced;
    const client = await connectRaw(url, "minutes");
    const update = updateOf("x".repeat(2 * MEBIBYTE));
    expect(await outcomeOf(client, encodeSyncStep2(update))).toMatchObject({ code: 4413 });
    expect(warnings(log, "minutes", LIMITS.documentBytes).length).toBe(1);
    expect(server.snapshot().counters.clientsRefused).toBe(1);
    good.text.insert(0, "fine");
    const late = connectEditor(url, "minutes");
    await late.until((text) => text === "fine");
  });

  it("larger than a document may be does not come again by itself", async () => {
    const { url } = await startInstance({ limits: LIMITS });
    const doc = new Y.Doc();
    for (let i = 0; i < 40; i++) doc.getText("text").insert(0, "x".repeat(50 * KIBIBYTE));
    const { provider } = connectEditor(url, "minutes", doc);
    const code = await new Promise<number | undefined>((resolve) => {
      provider.on("connection-close", (event) => resolve(event?.code));
    });
    expect(code).toBe(4413);
    expect(provider.shouldConnect).toBe(false);
  });
});

describe("an edit larger than a frame may be", () => {
  it("is closed with 1009, logged and counted, however large a document may be", async () => {
    const { url, server, log } = await startInstance({ limits: LIMITS });
    const client = await connectRaw(url, "minutes");
    const update = updateOf("x".repeat(100 * KIBIBYTE));
    expect(await outcomeOf(client, encodeUpdateFrame(update))).toMatchObject({
      code: CloseCode.tooLarge,
    });
    expect(warnings(log, "minutes", LIMITS.frameBytes).length).toBe(1);
    expect(server.snapshot().counters.clientsRefused).toBe(1);
  });

  it("is closed for good when it is larger than a document may be, as it would come again", async () => {
    const { url, log } = await startInstance({ limits: LIMITS });
    const client = await connectRaw(url, "minutes");
    const update = updateOf("x".repeat(2 * MEBIBYTE));
    expect(await outcomeOf(client, encodeUpdateFrame(update))).toMatchObject({
      code: CloseCode.documentTooLarge,
    });
    expect(warnings(log, "minutes", LIMITS.documentBytes).length).toBe(1);
  });
});
