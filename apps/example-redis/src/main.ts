/** A Redis, two instances of `server.ts`, and the playground that shows them. `REDIS_URL` names a Redis that runs already. */
import { inOwnProcess, runExample } from "@teleportal/playground";
import { startRedis } from "@teleportal/test-brokers";

const given = process.env["REDIS_URL"];

/** With the way to the broker that can be broken in the place of the broker. */
function through(broker: string): string {
  const url = new URL(given ?? "redis://broker");
  url.host = broker;
  return url.href;
}

await runExample({
  backend: "Redis",
  start: inOwnProcess(new URL("./server.js", import.meta.url), (broker) => ({
    REDIS_URL: through(broker),
  })),
  async broker() {
    if (given !== undefined) {
      const { hostname, port } = new URL(given);
      return { host: hostname, port: Number(port || 6379), title: hostname, async stop() {} };
    }
    const redis = await startRedis();
    return { ...redis, title: `Redis ${redis.version}, started for this` };
  },
});
