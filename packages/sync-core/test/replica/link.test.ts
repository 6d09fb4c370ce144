import { expect, it } from "vitest";
import { createReplicaNetwork } from "./replica-network.ts";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";

it("keeps what is typed in a document opened while the link is down, and sends it once it is up", () => {
  let up = false;
  const network = createReplicaNetwork(() => (up ? [1] : []));
  const other = network.add(B);
  other.start();
  const opened = network.add(A);
  opened.link("down");
  opened.start();
  expect(opened.heldWhenJoined).toBe(0);
  opened.type(0);
  expect(opened.sent).toEqual([]);
  up = true;
  opened.link("up");
  network.runUntil(network.now + 1);
  expect([...other.held]).toEqual([0]);
});

it("is up from the start if the link came up again before it", () => {
  const network = createReplicaNetwork(() => [1]);
  const other = network.add(B, [0]);
  other.start();
  const opened = network.add(A);
  opened.link("down");
  opened.link("up");
  opened.start();
  opened.type(1);
  network.runUntil(network.now + 1);
  expect([...other.held]).toEqual([0, 1]);
});
