/** A NATS server, two instances of `server.ts`, and the playground that shows them. `NATS_URL` names one that runs already. */
import { inOwnProcess, parseBrokerUrl, runExample } from "@teleportal/playground";
import { startNats } from "@teleportal/test-brokers";

const { NATS_URL: given } = process.env;
const running =
  given === undefined
    ? undefined
    : parseBrokerUrl(given, "NATS_URL", { protocol: "nats:", port: 4222 });

await runExample({
  backend: "NATS",
  start: inOwnProcess(new URL("./server.js", import.meta.url), (broker) => ({
    NATS_URL: running?.through(broker) ?? `nats://${broker}`,
  })),
  async broker() {
    if (running !== undefined) return { ...running, title: running.host, async stop() {} };
    const broker = await startNats();
    return { ...broker, title: `NATS ${broker.version}, started for this` };
  },
});
