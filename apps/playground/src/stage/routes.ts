import type { IncomingMessage, ServerResponse } from "node:http";
import type { StageAction, StageDescription } from "../stage-contract.ts";
import type { Place } from "./place.ts";

const ACTIONS: readonly string[] = [
  "cut",
  "darken",
  "heal",
  "restart",
] satisfies readonly StageAction[];

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Answers what the page asks of its stage; false for everything else. */
export function answerStage(
  request: IncomingMessage,
  response: ServerResponse,
  description: StageDescription,
  places: ReadonlyMap<string, Place>,
): boolean {
  const [path = "/"] = (request.url ?? "/").split("?");
  const [, first, name = "", what = ""] = path.split("/");
  if (first !== "stage") return false;
  if (!isFromThisPage(request)) {
    json(response, 403, { message: "only the stage's own page, on this machine, may ask" });
    return true;
  }
  const place = places.get(name);
  if (name === "" && request.method === "GET") {
    json(response, 200, description);
  } else if (place !== undefined && what === "events" && request.method === "GET") {
    stream(response, place);
  } else if (place !== undefined && isAction(what) && request.method === "POST") {
    place.do(what).then(
      () => response.writeHead(204).end(),
      (error: unknown) => json(response, 500, { message: String(error) }),
    );
  } else {
    json(response, 404, { message: "there is no such thing on this stage" });
  }
  return true;
}

/**
 * Whoever opens a page of somebody else's in the same browser could have it kill instances: by a form, or by a name that resolves to
 * this machine.
 */
function isFromThisPage({ headers: { host, origin } }: IncomingMessage): boolean {
  const url = `http://${host}`;
  if (!URL.canParse(url) || !LOOPBACK.has(new URL(url).hostname)) return false;
  return origin === undefined || origin === url;
}

function isAction(what: string): what is StageAction {
  return ACTIONS.includes(what);
}

function stream(response: ServerResponse, place: Place): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const end = place.watch((event) => response.write(`data: ${JSON.stringify(event)}\n\n`));
  response.on("close", end);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}
