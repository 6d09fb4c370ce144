/** Hocuspocus with its Redis extension, as its documentation has it, and quiet. */
import process from "node:process";
import { Redis } from "@hocuspocus/extension-redis";
import { Server } from "@hocuspocus/server";
import { answerBench } from "./instance-control.ts";

const { hostname, port } = new URL(process.env["BENCH_BROKER"] ?? "");

const server = new Server({
  address: "127.0.0.1",
  port: 0,
  quiet: true,
  extensions: [new Redis({ host: hostname, port: Number(port) })],
});
await server.listen();
answerBench({
  url: `ws://127.0.0.1:${server.address.port}`,
  close: () => server.destroy().then(() => {}),
});
