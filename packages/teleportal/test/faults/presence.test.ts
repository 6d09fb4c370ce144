import { describe, expect, it } from "vitest";
import { brokerKinds } from "../brokers/broker-kinds.ts";
import type { EditorClient } from "../server/connect-provider.ts";
import { deploy, upTo } from "./deployment.ts";

/** In milliseconds: a peer's lease is 7 s from its last heartbeat, which was at most 1.5 s ago. */
const SHORTEST_LEASE = 5500;

/** Resolves with the milliseconds until `watcher` sees exactly the cursors of those named. */
function untilSees(watcher: EditorClient, ...names: readonly string[]): Promise<number> {
  const started = performance.now();
  const { awareness } = watcher.provider;
  const wanted = names.toSorted().join();
  return new Promise((resolve) => {
    function look(): void {
      const seen = [...awareness.getStates().values()].map((state) => String(state["name"]));
      if (seen.toSorted().join() !== wanted) return;
      awareness.off("change", look);
      resolve(performance.now() - started);
    }
    awareness.on("change", look);
    look();
  });
}

function show(editor: EditorClient, name: string): void {
  editor.provider.awareness.setLocalStateField("name", name);
}

describe.concurrent.each(brokerKinds)("on a $title", (kind) => {
  describe.skipIf(kind.requirement.skip)("the cursor on the other instance", () => {
    async function deployWithCursors() {
      const deployment = await deploy(kind);
      const [a, b] = deployment.places;
      if (a === undefined || b === undefined) throw new Error("two instances are needed");
      show(a.editor, "ann");
      show(b.editor, "ben");
      await Promise.all([untilSees(a.editor, "ann", "ben"), untilSees(b.editor, "ann", "ben")]);
      return { deployment, a, b };
    }

    it(
      "of a crashed instance's client is gone when its lease has run out",
      { timeout: 60_000 },
      async () => {
        const { deployment, a, b } = await deployWithCursors();
        await using _ = deployment;
        // Longer than it takes to tell whose cursors these are.
        await new Promise((resolve) => setTimeout(resolve, 2000));
        const gone = untilSees(a.editor, "ann");
        b.server.child.kill("SIGKILL");
        expect(await gone).toBeLessThan(upTo(kind.presence));
      },
    );

    // How the rest goes is no matter of the broker.
    if (!kind.can.includes("redis")) return;

    it("of a closed tab is gone without waiting for a lease", { timeout: 30_000 }, async () => {
      const { deployment, a, b } = await deployWithCursors();
      await using _ = deployment;
      const gone = untilSees(a.editor, "ann");
      b.editor.destroy();
      expect(await gone).toBeLessThan(SHORTEST_LEASE);
    });

    it(
      "of a drained instance's client is gone without waiting for a lease",
      { timeout: 30_000 },
      async () => {
        const { deployment, a, b } = await deployWithCursors();
        await using _ = deployment;
        const gone = untilSees(a.editor, "ann");
        b.server.child.kill("SIGTERM");
        expect(await gone).toBeLessThan(SHORTEST_LEASE);
      },
    );

    it(
      "comes to a client that joins later, and back after the link was cut",
      { timeout: 40_000 },
      async () => {
        const { deployment, a, b } = await deployWithCursors();
        await using _ = deployment;
        const late = deployment.join(a);
        show(late, "cat");
        await untilSees(late, "ann", "ben", "cat");
        await a.link.cut();
        show(b.editor, "ben, moved");
        await a.link.heal();
        await untilSees(late, "ann", "ben, moved", "cat");
      },
    );
  });
});
