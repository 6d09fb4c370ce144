import type { ClientConfig } from "@google-cloud/pubsub";
import { SyncError } from "@teleportal/sync-core";
import { NAME } from "./name.ts";

/** What a connection string says. */
export interface GooglePubsubUrl {
  readonly config: ClientConfig;
  readonly topic: string | undefined;
}

const EXPECTED_URL =
  "use google-pubsub://my-project, with ?endpoint=127.0.0.1:8085 for an emulator and ?topic=name if you like";

/** @throws SyncError for anything else than `google-pubsub://project?endpoint=host:port&topic=name`. */
export function parseConnectionString(text: string): GooglePubsubUrl {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // Without the cause: it holds the whole string, which may have a secret in it.
    throw new SyncError(NAME, "the connection string is not a URL", EXPECTED_URL);
  }
  if (url.protocol !== "google-pubsub:") {
    throw new SyncError(NAME, `the connection string has the scheme ${url.protocol}`, EXPECTED_URL);
  }
  if (url.hostname === "") {
    throw new SyncError(NAME, "the connection string names no project", EXPECTED_URL);
  }
  if (url.username !== "" || url.password !== "" || url.port !== "") {
    throw new SyncError(
      NAME,
      "the connection string has a user, password or port",
      "leave them out; credentials are Application Default Credentials, or in `options`",
    );
  }
  if (url.pathname !== "" && url.pathname !== "/") {
    throw new SyncError(NAME, "the connection string has a path", EXPECTED_URL);
  }
  for (const [key, value] of url.searchParams) {
    if ((key === "endpoint" || key === "topic") && value !== "") continue;
    throw new SyncError(
      NAME,
      "the connection string has a parameter that is not known, or empty",
      EXPECTED_URL,
    );
  }
  const endpoint = url.searchParams.get("endpoint");
  return {
    config: {
      projectId: decodeURIComponent(url.hostname),
      // The library takes one that is not Google's for an emulator.
      ...(endpoint !== null && { apiEndpoint: endpoint }),
    },
    topic: url.searchParams.get("topic") ?? undefined,
  };
}
