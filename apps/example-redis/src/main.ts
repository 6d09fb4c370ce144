/** A Redis, two instances of `server.ts`, and the playground that shows them. `REDIS_URL` names one that runs already. */
import { inOwnProcess, parseBrokerUrl, runExample } from "@teleportal/playground";
import { startRedis } from "@teleportal/test-brokers";

const { REDIS_URL: given } = process.env;
const running =
  given === undefined
    ? undefined
    : parseBrokerUrl(given, "REDIS_URL", { protocol: "redis:", port: 6379 });

await runExample({
  backend: "Redis",
  start: inOwnProcess(new URL("./server.js", import.meta.url), (broker) => ({
    REDIS_URL: running?.through(broker) ?? `redis://${broker}`,
  })),
  async broker() {
    if (running !== undefined) return { ...running, title: running.host, async stop() {} };
    const broker = await startRedis();
    return { ...broker, title: `Redis ${broker.version}, started for this` };
  },
});
