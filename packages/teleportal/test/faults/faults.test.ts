import { describe, it } from "vitest";
import { findRedis, requireBroker } from "@teleportal/test-brokers";
import { deploy } from "./deployment.ts";
import { scenarios } from "./scenarios.ts";

const redis = requireBroker("Redis", findRedis());

describe.skipIf(redis.skip).concurrent(`no keystroke is lost on a ${redis.title} through`, () => {
  it.for(scenarios)("$title", { timeout: 90_000 }, async (scenario) => {
    const { title, instances = 2, brokerLater = false } = scenario;
    await using deployment = await deploy(instances, { brokerLater });
    const [a, b, ...rest] = deployment.places;
    if (a === undefined || b === undefined) throw new Error("two instances are needed");
    a.type(3);
    b.type(3);
    if (!brokerLater) await deployment.settled();
    await scenario.run(deployment, a, b, rest);
    await deployment.converges(title);
  });
});
