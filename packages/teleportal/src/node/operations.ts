import type { IncomingMessage, ServerResponse } from "node:http";
import { prometheusText, PROMETHEUS_CONTENT_TYPE } from "../operations/prometheus.ts";
import { ReadinessJudge } from "../operations/readiness.ts";
import type { InstanceSnapshot } from "../operations/snapshot.ts";
import { SnapshotStream } from "./snapshot-stream.ts";

export interface OperationsOptions {
  /**
   * Serves `/metrics`, in Prometheus' text format.
   * @default false: numbers are nobody else's business
   */
  readonly metrics?: boolean;
  /**
   * Serves `/inspect`, a stream of server-sent events: an `InstanceSnapshot` as JSON whenever one of its numbers has changed.
   * @default false
   */
  readonly inspect?: boolean;
  /**
   * How long an instance may be out of touch with its broker before `/readyz` says no, in milliseconds. It serves its clients
   * all the while, and an outage of the broker is one of all instances.
   * @default 30000
   */
  readonly degradedLimit?: number;
}

/** What operations look at; a `Server` is one. */
export interface Operated {
  readonly closing: boolean;
  snapshot(): InstanceSnapshot;
}

/** Answers an operator's requests, for an http server that has others as well. */
export interface Operations {
  /**
   * `/healthz`: 200 as long as the process answers. `/readyz`: 200, or 503 with the reason, while the instance is closing or has
   * been out of touch with its broker for longer than the limit. `/metrics` and `/inspect`, if they were asked for.
   *
   * @returns false for every other path: nothing was answered.
   */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** Ends the streams, and the watch. Idempotent. */
  close(): void;
}

/** How often the state is looked at for `/readyz`, in milliseconds. */
const LOOK_INTERVAL = 1000;

/** Lets an operator see how an instance is: alive, ready, and what it does. Says how much, never what. */
export function createOperations(server: Operated, options: OperationsOptions = {}): Operations {
  const { metrics = false, inspect = false, degradedLimit = 30_000 } = options;
  const judge = new ReadinessJudge(degradedLimit);
  const stream = new SnapshotStream(() => server.snapshot());
  const look = () => judge.judge(server.snapshot(), server.closing, performance.now());
  // A probe may be the first for long, and the outage as old.
  const looking = setInterval(look, LOOK_INTERVAL);
  looking.unref();

  function answer(path: string, response: ServerResponse, isHead: boolean): boolean {
    switch (path) {
      case "/healthz":
        text(response, 200, "alive\n");
        return true;
      case "/readyz": {
        const readiness = look();
        if (readiness.ready) text(response, 200, "ready\n");
        else text(response, 503, `not ready: ${readiness.reason}\n`);
        return true;
      }
      case "/metrics":
        if (!metrics) return false;
        text(response, 200, prometheusText(server.snapshot()), PROMETHEUS_CONTENT_TYPE);
        return true;
      case "/inspect":
        if (!inspect) return false;
        if (isHead) stream.describe(response);
        else stream.add(response);
        return true;
      default:
        return false;
    }
  }

  return {
    handle(request, response) {
      if (request.method !== "GET" && request.method !== "HEAD") return false;
      const [path = "/"] = (request.url ?? "/").split("?");
      return answer(path, response, request.method === "HEAD");
    },
    close() {
      clearInterval(looking);
      stream.close();
    },
  };
}

function text(
  response: ServerResponse,
  status: number,
  body: string,
  type = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(body);
}
