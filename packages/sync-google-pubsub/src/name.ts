/** What error messages and log lines call this package. */
export const NAME = "sync-google-pubsub";
