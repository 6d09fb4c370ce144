import { isDeepStrictEqual as equals } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import { connectProvider } from "../server/connect-provider.ts";
import { editingSession, replay } from "../server/editing-session.ts";
import { serve } from "../server/serve-process.ts";
import { brokerKinds } from "./broker-kinds.ts";

describe.each(brokerKinds)("on a $title", (kind) => {
  describe.skipIf(kind.requirement.skip)("teleportal serve", () => {
    it(
      "two server processes end with identical documents everywhere after a long session of concurrent typing",
      { timeout: 60_000 },
      async () => {
        const broker = await kind.start();
        onTestFinished(broker.stop);
        const ways = [await broker.openWay(), await broker.openWay()] as const;
        onTestFinished(async () => {
          for (const { link } of ways) await link?.close();
        });
        await using a = await serve("--sync", ways[0].sync);
        await using b = await serve("--sync", ways[1].sync);
        const clients = [a.url, b.url, a.url, b.url].map((url) =>
          connectProvider(url, "room1/session"),
        );
        await Promise.all(clients.map(({ synced }) => synced));
        await replay(editingSession(20_261_122, 4000), clients);

        // Everybody's own updates, put together, are what everybody must come to hold.
        const everything = new Y.Doc();
        for (const { doc } of clients) Y.applyUpdate(everything, Y.encodeStateAsUpdate(doc));
        const expected = everything.getText("text").toString();
        expect(expected.length).toBeGreaterThan(1000);
        await Promise.all(clients.map((client) => client.until((text) => text === expected)));

        const late = [a.url, b.url].map((url) => connectProvider(url, "room1/session"));
        await Promise.all(late.map(({ synced }) => synced));
        for (const { text } of late) expect(text.toString()).toBe(expected);
        // Marks too: an edit that only formats leaves the characters as they are. Only to each other's: Yjs's clients tidy up marks that
        // they hear of, and two that take away different ones of the same leave fewer than all had together.
        const everybody = [...clients, ...late];
        await expect
          .poll(
            () => everybody.every(({ text }) => equals(text.toDelta(), late[0]?.text.toDelta())),
            {
              timeout: 20_000,
            },
          )
          .toBe(true);
        for (const client of everybody) client.destroy();
        for (const process of [a, b]) process.child.kill("SIGTERM");
        expect(await Promise.all([a.exited, b.exited])).toEqual([0, 0]);
      },
    );
  });
});
