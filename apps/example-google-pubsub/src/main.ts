/** Google's Pub/Sub emulator, two instances of `server.ts`, and the playground that shows them. */
import { inOwnProcess, runExample } from "@teleportal/playground";
import { startGooglePubsub } from "@teleportal/test-brokers";

await runExample({
  backend: "Google Pub/Sub",
  start: inOwnProcess(new URL("./server.js", import.meta.url), (broker) => ({
    PUBSUB_URL: `google-pubsub://test-project?endpoint=${broker}`,
  })),
  async broker() {
    const emulator = await startGooglePubsub();
    return { ...emulator, title: "Google's emulator, started for this; it polls, so it is slow" };
  },
});
