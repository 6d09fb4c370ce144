import type { FactoryCheck } from "../check.ts";
import { ConformanceError } from "../check.ts";
import { createCondition } from "../condition.ts";
import { importYjs, openConvergenceNode } from "../convergence-node.ts";
import type { ConvergenceNode } from "../convergence-node.ts";
import type { FactoryContext } from "../factory-context.ts";
import { createRandom } from "../random.ts";
import type { Way } from "../target.ts";

/** Three nodes that edit one document over the real engine. */
interface Session {
  readonly nodes: readonly ConvergenceNode[];
  /** Adds a node, on an instance of its own. */
  join(way: Way): Promise<ConvergenceNode>;
  /** So many edits at random places of random nodes, spread over turns of the event loop. */
  edit(count: number, by?: readonly ConvergenceNode[]): Promise<void>;
  erase(count: number, by: ConvergenceNode): void;
  /** Resolves when they hold the same; rejects if they do not within the patience. */
  converge(among?: readonly ConvergenceNode[]): Promise<void>;
}

async function openSession(context: FactoryContext, ways: readonly Way[]): Promise<Session> {
  const Y = await importYjs();
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = createRandom(seed);
  const condition = createCondition(context.patience);
  const nodes: ConvergenceNode[] = [];
  let typed = 0;

  function pick<Value>(from: readonly Value[]): Value | undefined {
    return from[Math.floor(random() * from.length)];
  }

  const session: Session = {
    nodes,
    async join(way) {
      const { factory } = await context.open({ way });
      const node = await context.settles(
        openConvergenceNode(Y, factory, context.document(), condition.changed),
        "a document did not open",
      );
      context.afterwards(node.close);
      nodes.push(node);
      return node;
    },
    async edit(count, by = nodes) {
      for (let i = 0; i < count; i++) {
        const text = pick(by)?.text;
        if (text === undefined) return;
        const at = Math.floor(random() * (text.length + 1));
        if (random() < 0.3 && text.length > at) text.delete(at, Math.min(3, text.length - at));
        else text.insert(at, `<${typed++}>`);
        if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
      }
    },
    erase(count, { text }) {
      for (let i = 0; i < count && text.length > 0; i++) {
        text.delete(Math.floor(random() * text.length), 1);
      }
    },
    converge: (among = nodes) =>
      condition.until(
        () => new Set(among.map((node) => node.fingerprint())).size === 1,
        () =>
          `the nodes hold ${among.map(({ text }) => text.length).join(", ")} characters, ` +
          `and not the same (seed ${seed})`,
      ),
  };
  for (const way of ways) await session.join(way);
  return session;
}

export const convergenceChecks: readonly FactoryCheck[] = [
  {
    subject: "factory",
    id: "convergence/editing",
    level: "MUST",
    title: "three instances that edit at random at the same time end with the same document",
    requires: {},
    async run(context) {
      const session = await openSession(context, ["direct", "direct", "direct"]);
      await session.edit(300);
      await session.converge();
    },
  },
  {
    subject: "factory",
    id: "convergence/joining-late",
    level: "MUST",
    title: "an instance that opens a document later has all of it, while the others go on",
    requires: {},
    async run(context) {
      const session = await openSession(context, ["direct", "direct"]);
      await session.edit(100);
      await Promise.all([session.edit(100), session.join("direct")]);
      await session.edit(30);
      await session.converge();
    },
  },
  {
    subject: "factory",
    id: "convergence/link-cut",
    level: "MUST",
    title: "what was typed on both sides of a cut link is everywhere once it is healed",
    requires: { recovery: "automatic" },
    async run(context) {
      const session = await openSession(context, ["direct", "link", "direct"]);
      await session.edit(50);
      await context.faults().cut();
      await session.edit(100);
      await context.faults().heal();
      await session.converge();
    },
  },
  {
    subject: "factory",
    id: "convergence/deletions-lost",
    level: "MUST",
    title:
      "deletions that nobody heard of are repaired, although they leave state vectors as they are",
    requires: { recovery: "automatic" },
    async run(context) {
      const session = await openSession(context, ["direct", "link", "direct"]);
      const [a, , witness] = session.nodes;
      if (a === undefined || witness === undefined) throw new ConformanceError("a node is missing");
      await session.edit(60, [a]);
      await session.converge();
      await context.faults().cut();
      session.erase(20, a);
      // They have been sent, and the one without a link has missed them.
      await session.converge([a, witness]);
      await context.faults().heal();
      await session.converge();
    },
  },
  {
    subject: "factory",
    id: "convergence/link-dark",
    level: "MUST",
    title: "a link that goes dark while both sides type, and tells nobody, loses nothing",
    requires: { recovery: "automatic" },
    async run(context) {
      const session = await openSession(context, ["direct", "link"]);
      await session.edit(30);
      await session.converge();
      await context.faults().darken();
      await session.edit(50);
      await context.faults().heal();
      await session.converge();
    },
  },
  {
    subject: "factory",
    id: "convergence/broker-restarted",
    level: "MUST",
    title: "a broker that is killed while all type, and started empty, loses nothing",
    requires: { recovery: "automatic" },
    async run(context) {
      const session = await openSession(context, ["direct", "direct", "direct"]);
      await session.edit(50);
      await Promise.all([context.faults().restart(), session.edit(100)]);
      await session.edit(20);
      await session.converge();
    },
  },
];
