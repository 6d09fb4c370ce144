import type { Server as HttpServer } from "node:http";
import { SyncError } from "@teleportal/sync-core";

/** @throws SyncError if the port cannot be had */
export function openPort(http: HttpServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once("error", (cause: NodeJS.ErrnoException) => {
      const remedy =
        cause.code === "EADDRINUSE"
          ? "stop what uses it, or choose another port"
          : "choose an address of this machine and a port it may use";
      reject(new SyncError("teleportal", `cannot listen on ${host}:${port}`, remedy, cause));
    });
    http.listen(port, host, () => resolve());
  });
}
