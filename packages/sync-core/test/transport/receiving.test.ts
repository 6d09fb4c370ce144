import { describe, expect, it } from "vitest";
import { createScriptedBroker } from "./scripted-broker.ts";
import { A, B, published, start, turns, update, use } from "./started-factory.ts";

describe("what arrives", () => {
  it("unreadable is skipped, counted and logged once, and what follows is read", async () => {
    const broker = createScriptedBroker();
    const { factory, lines } = start(broker.driver());
    const { next } = use(await factory.createTransport("doc"));
    const good = await published(A, 1);
    const newer = good.slice();
    newer[2] = 9;
    for (const bytes of [new Uint8Array(), new Uint8Array([1, 2, 3]), newer, good.subarray(0, 9)]) {
      broker.deliver("teleportal:sync:doc", bytes);
    }
    broker.deliver("teleportal:sync:doc", good);
    expect(await next()).toMatchObject({ sender: A, seq: 1 });
    expect(factory.metrics).toMatchObject({ malformed: 3, unknownVersion: 1, received: 1 });
    expect(lines.filter((line) => line.includes("skipped"))).toHaveLength(2);
    await factory.close();
  });

  it("for a reader that does not read is held up to the cap, then dropped and said", async () => {
    const broker = createScriptedBroker();
    const { factory } = start(broker.driver(), { readableBytes: 1000 });
    const { next } = use(await factory.createTransport("doc"));
    const other = start(broker.driver());
    const { writer } = use(await other.factory.createTransport("doc"));
    for (let seq = 1; seq <= 50; seq++) {
      await writer.write({ ...update(B, seq), frames: [new Uint8Array(100)] });
      await turns(1);
    }
    expect(factory.metrics.droppedIn).toBeGreaterThan(40);
    let last = await next();
    while (last.kind === "update") last = await next();
    expect(last).toEqual({ kind: "lost", direction: "in" });
    await writer.write(update(B, 51, 51));
    expect(await next()).toMatchObject({ seq: 51 });
    await Promise.all([factory.close(), other.factory.close()]);
  });
});
