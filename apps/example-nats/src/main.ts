/** A NATS server, two instances of `server.ts`, and the playground that shows them. `NATS_URL` names one that runs already. */
import { inOwnProcess, runExample } from "@teleportal/playground";
import { startNats } from "@teleportal/test-brokers";

const given = process.env["NATS_URL"];

/** With the way to the broker that can be broken in the place of the broker. */
function through(broker: string): string {
  const url = new URL(given ?? "nats://broker");
  url.host = broker;
  return url.href;
}

await runExample({
  backend: "NATS",
  start: inOwnProcess(new URL("./server.js", import.meta.url), (broker) => ({
    NATS_URL: through(broker),
  })),
  async broker() {
    if (given !== undefined) {
      const { hostname, port } = new URL(given);
      return { host: hostname, port: Number(port || 4222), title: hostname, async stop() {} };
    }
    const nats = await startNats();
    return { ...nats, title: `NATS ${nats.version}, started for this` };
  },
});
