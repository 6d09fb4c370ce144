import { describe, expect, it } from "vitest";
import { createServerPool } from "../src/server-pool.ts";

const told = (listen: string, tlsName = "") => ({ listen, tlsName, gossiped: true });
const given = (listen: string) => ({ listen, tlsName: "", gossiped: false });

describe("the servers of a cluster", () => {
  it("are tried in the order they are given, the one that was lost last", () => {
    const pool = createServerPool(["a:1", "b:1", "c:1"], true);
    expect(pool.inTurn).toEqual(["a:1", "b:1", "c:1"]);
    pool.lost("a:1", [given("a:1")]);
    expect(pool.inTurn).toEqual(["b:1", "c:1", "a:1"]);
    pool.lost("b:1", [given("b:1")]);
    expect(pool.inTurn).toEqual(["c:1", "a:1", "b:1"]);
  });

  it("are tried in any order if none is asked for", () => {
    const servers = Array.from({ length: 20 }, (_, i) => `s${i}:1`);
    const { inTurn } = createServerPool(servers, false);
    expect(inTurn).not.toEqual(servers);
    expect(inTurn.toSorted()).toEqual(servers.toSorted());
  });

  it("are also those that a server tells of, for as long as one does", () => {
    const pool = createServerPool(["a:1"], true);
    pool.lost("a:1", [given("a:1"), told("b:1"), told("c:1")]);
    expect(pool.inTurn).toEqual(["b:1", "c:1", "a:1"]);
    pool.lost("b:1", [given("b:1"), told("d:1")]);
    expect(pool.inTurn).toEqual(["a:1", "d:1", "b:1"]);
    pool.lost("a:1", [given("a:1")]);
    expect(pool.inTurn).toEqual(["a:1"]);
  });

  it("that are told of by their address have the name of the one that tells of them in their certificates", () => {
    const pool = createServerPool(["nats.example:4222"], true);
    pool.lost("nats.example:4222", [
      given("nats.example:4222"),
      told("10.0.0.2:4222", "nats.example"),
    ]);
    expect(pool.tlsNameOf("10.0.0.2:4222")).toBe("nats.example");
    expect(pool.tlsNameOf("[fd00::2]:4222")).toBe("nats.example");
    // Those that are told of by name have one of their own.
    expect(pool.tlsNameOf("other.example:4222")).toBeUndefined();
    expect(pool.tlsNameOf("nats.example:4222")).toBeUndefined();
    // One that is connected to by its address does not know the name.
    pool.lost("10.0.0.2:4222", [given("10.0.0.2:4222"), told("10.0.0.3:4222")]);
    expect(pool.tlsNameOf("10.0.0.3:4222")).toBe("nats.example");
  });
});
