import { connect } from "@nats-io/transport-node";
import { describe, expect, it } from "vitest";
import type { PeerMessage } from "@teleportal/sync-core";
import { isPeerMessage } from "@teleportal/sync-core";
import { findNats, requireBroker, startNatsCluster } from "@teleportal/test-brokers";
import { openTransport, update } from "@teleportal/test-transports";
import { useNats } from "./use-nats.ts";
import type { OpenTransport } from "@teleportal/test-transports";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";

const requirement = requireBroker("NATS", findNats());

describe.skipIf(requirement.skip)(`sync-nats in a cluster of a ${requirement.title}`, () => {
  const { fromUrl, from } = useNats();

  it("hears the answer to the first of its questions that anybody has heard", async () => {
    await using cluster = await startNatsCluster(2);
    const [first, second] = cluster.nodes;
    const left = await fromUrl(first?.url);
    const right = await fromUrl(second?.url);

    async function firstMessage({ next }: OpenTransport) {
      for (;;) {
        const message = await next();
        if (isPeerMessage(message)) return message;
      }
    }

    for (let i = 1; i <= 200; i++) {
      // At once: a node hears of a subscription on the other one a moment later than its subscriber goes on.
      const [asking, answering] = await Promise.all([
        openTransport(left, `doc${i}`),
        openTransport(right, `doc${i}`),
      ]);
      const answer = firstMessage(answering).then(() => answering.writer.write(update(B, i)));
      const heard = firstMessage(asking);
      const turn = () =>
        new Promise<undefined>((resolve) => void setImmediate(() => resolve(undefined)));
      let reply: PeerMessage | undefined;
      for (let seq = 1; reply === undefined; seq++) {
        await asking.writer.write(update(A, seq));
        reply = await Promise.race([heard, turn()]);
      }
      await answer;
      expect(reply).toMatchObject({ sender: B, seq: i });
    }
  });

  it("moves on from a node that dies, with every subscription live before `connected`", async () => {
    await using cluster = await startNatsCluster(3);
    const all = cluster.nodes.map(({ url }) => url);
    const instances = await Promise.all(
      all.map((_, i) => {
        // Each begins at a node of its own, and knows them all.
        const servers = [...all.slice(i), ...all.slice(0, i)];
        return from(servers, { options: { noRandomize: true } });
      }),
    );
    const documents = await Promise.all(
      instances.map((instance) => openTransport(instance, "doc")),
    );
    const [victim, ...others] = cluster.nodes;
    const [moved, second, third] = documents;
    if (!victim || !moved || !second || !third) throw new Error("there are not three");
    await Promise.all(others.map((node) => expect.poll(() => node.connections()).toBe(1)));
    await victim.kill();
    expect(await moved.next()).toEqual({ kind: "down" });
    expect(await moved.next()).toEqual({ kind: "up" });
    const subjects = await Promise.all(others.map((node) => node.subjects()));
    expect(subjects.flat().filter((name) => name.endsWith(":doc"))).toHaveLength(3);
    // What it says reaches all others, and after that it is heard by all of them.
    await moved.writer.write(update(A, 1, 1));
    for (const { next } of [second, third]) expect(await next()).toMatchObject({ sender: A });
    await second.writer.write(update(B, 1, 1));
    for (const { next } of [moved, third]) expect(await next()).toMatchObject({ sender: B });
    expect(instances.map(({ status }) => status)).toEqual(Array(3).fill("connected"));
  });

  it("moves on to a node that it was told of by the one that dies", async () => {
    await using cluster = await startNatsCluster(3, { advertise: true });
    const [victim, ...others] = cluster.nodes;
    if (!victim) throw new Error("there are not three");
    const connection = await connect({ servers: victim.url });
    await expect.poll(() => connection.getServers()).toHaveLength(3);
    await connection.close();
    const moving = await openTransport(await fromUrl(victim.url), "doc");
    const staying = await openTransport(await fromUrl(others[0]?.url), "doc");
    await victim.kill();
    expect([await moving.next(), await moving.next()]).toEqual([{ kind: "down" }, { kind: "up" }]);
    await moving.writer.write(update(A, 1, 1));
    expect(await staying.next()).toMatchObject({ sender: A });
  });
});
