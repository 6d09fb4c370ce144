/** Two servers in this process, and the playground that shows them. */
import { runExample } from "@teleportal/playground";
import { startServer } from "./server.ts";

await runExample({
  backend: "Memory",
  async start(port) {
    const server = await startServer(port);
    return { port: server.port, kill: () => server.close() };
  },
});
