import process from "node:process";
import { describe, it } from "vitest";
import { brokerKinds } from "../brokers/broker-kinds.ts";
import { deploy } from "./deployment.ts";
import { scenarios } from "./scenarios.ts";

/** `npm run faults` tries everything everywhere. */
const ALL = process.env["FAULTS"] === "all";

describe.concurrent.each(brokerKinds)("on a $title", (kind) => {
  const possible = scenarios.filter(
    ({ needs, always }) =>
      (needs === undefined || kind.can.includes(needs)) &&
      (ALL || always === true || kind.can.includes("redis")),
  );

  describe.skipIf(kind.requirement.skip)("no keystroke is lost through", () => {
    it.for(possible)("$title", { timeout: 240_000 }, async (scenario) => {
      const { title, instances = 2, brokerLater = false } = scenario;
      await using deployment = await deploy(kind, instances, { brokerLater });
      const [a, b, ...rest] = deployment.places;
      if (a === undefined || b === undefined) throw new Error("two instances are needed");
      a.type(3);
      b.type(3);
      if (!brokerLater) await deployment.settled();
      await scenario.run(deployment, a, b, rest);
      await deployment.converges(title);
    });
  });
});
