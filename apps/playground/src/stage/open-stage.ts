import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { openLink } from "@teleportal/sync-core/conformance";
import sirv from "sirv";
import type { StageDescription } from "../stage-contract.ts";
import { Place } from "./place.ts";
import { answerStage } from "./routes.ts";
import type { StartInstance } from "./running-instance.ts";

/** Where the page is built to, seen from this file's own place in `dist`. */
const PAGE = fileURLToPath(new URL("../page", import.meta.url));

export interface StageSettings {
  /** Such as "Redis". */
  readonly backend: string;
  readonly start: StartInstance;
  /** What the instances reach through a link each, which can be broken; none if there is nothing between them. */
  readonly broker?: { readonly host: string; readonly port: number };
  /** Of the page; 0 for any free one. */
  readonly port: number;
  /** The folder of the built page. @default beside this package's own build */
  readonly page?: string;
}

/** Two instances, a breakable way to their broker each, and a page that shows them. */
export interface Stage {
  readonly url: string;
  /** As the page is told. */
  readonly description: StageDescription;
  close(): Promise<void>;
}

/** @throws if the port cannot be had or an instance does not start; nothing is left running then. */
export async function openStage(settings: StageSettings): Promise<Stage> {
  const { backend, broker, start } = settings;
  const places = new Map<string, Place>();
  const http = createServer((request, response) => {
    if (answerStage(request, response, description, places)) return;
    page(request, response, () => {
      response.writeHead(404, { "content-type": "text/plain" }).end("There is no such page.\n");
    });
  });
  const page = sirv(settings.page ?? PAGE);
  let description: StageDescription = { backend, places: [], faults: [] };

  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      http.close(() => resolve());
    });
    http.closeAllConnections();
    await Promise.all([...places.values()].map((place) => place.close()));
    await closed;
  }

  try {
    await new Promise<void>((resolve, reject) => {
      http.once("error", reject);
      http.listen(settings.port, "127.0.0.1", resolve);
    });
    for (const name of ["A", "B"]) {
      const place = new Place(name, start, broker && (await openLink(broker)));
      places.set(name, place);
      await place.open(0);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const all = [...places.values()];
  description = {
    backend,
    places: all.map(({ name, url }) => ({ name, url })),
    faults: all[0]?.faults ?? [],
  };
  const { port } = http.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, description, close };
}
