import { describe, expect, it } from "vitest";
import { mergeViews, readView } from "../src/cluster-topology.ts";
import type { ClusterView } from "../src/cluster-topology.ts";
import type { NatMap, RedisNodeLike } from "../src/redis-client-like.ts";

function view(of: string, epoch: number, ...ranges: [number, number, string][]): ClusterView {
  return {
    of,
    epoch,
    ranges: ranges.map(([from, to, master]) => ({ from, to, master })),
    nodes: new Map(),
  };
}

function read(slots: unknown, natMap?: NatMap): Promise<ClusterView> {
  const client: Pick<RedisNodeLike, "cluster"> = {
    cluster: async (what) => (what === "INFO" ? "a:1\r\ncluster_current_epoch:7\r\n" : slots),
  };
  return readView(client, { host: "asked", port: 1 }, natMap);
}

describe("the views of a cluster's nodes", () => {
  it("are read with the epoch, the masters and all nodes", async () => {
    const slots = [
      [0, 5, ["h1", 1, "id1"], ["h2", 2, "id2"]],
      [6, 16383, ["h3", 3, "id3", []]],
    ];
    expect(await read(slots)).toEqual({
      of: "asked:1",
      epoch: 7,
      ranges: [
        { from: 0, to: 5, master: "h1:1" },
        { from: 6, to: 16383, master: "h3:3" },
      ],
      nodes: new Map([
        ["h1:1", { host: "h1", port: 1 }],
        ["h2:2", { host: "h2", port: 2 }],
        ["h3:3", { host: "h3", port: 3 }],
      ]),
    });
  });

  it("name a node without a name where it was reached, and others as the caller maps them", async () => {
    const slots = [
      [0, 1, [null, 7, "a"]],
      [2, 3, ["", 8, "b"]],
      [4, 5, ["?", 9, "c"]],
      [6, 7, ["inner", 6, "d"]],
    ];
    const natMap = { "inner:6": { host: "outer", port: 60 } };
    const { ranges } = await read(slots, natMap);
    expect(ranges.map(({ master }) => master)).toEqual([
      "asked:7",
      "asked:8",
      "asked:9",
      "outer:60",
    ]);
  });

  it("are not half understood when the answer is something else", async () => {
    for (const slots of [null, "OK", [null, 1, [0]], [[0, 1, "x"]]]) {
      expect((await read(slots)).ranges).toEqual([]);
    }
  });

  it("that tell of the past are not believed", () => {
    const cutOff = view("old:1", 3, [0, 16383, "old:1"]);
    const others = view("b:1", 4, [0, 9, "new:1"], [10, 16383, "b:1"]);
    for (const views of [
      [cutOff, others],
      [others, cutOff],
    ]) {
      const { owners } = mergeViews(views);
      expect([owners[0], owners[9], owners[10]]).toEqual(["new:1", "new:1", "b:1"]);
    }
  });

  it("of a slot that is just moving follow who has it", () => {
    const bystander = view("c:1", 4, [0, 5, "from:1"], [6, 9, "to:1"]);
    const from = view("from:1", 4, [0, 4, "from:1"], [5, 9, "to:1"]);
    const to = view("to:1", 4, [0, 4, "from:1"], [5, 9, "to:1"]);
    for (const views of [
      [bystander, from, to],
      [to, from, bystander],
    ]) {
      expect(mergeViews(views).owners.slice(4, 7)).toEqual(["from:1", "to:1", "to:1"]);
    }
  });

  it("leave out a slot that nobody has", () => {
    expect(mergeViews([view("a:1", 1, [1, 2, "a:1"])]).owners.slice(0, 4)).toEqual([
      undefined,
      "a:1",
      "a:1",
      undefined,
    ]);
  });
});
