/** Whether Redis itself has refused a command; any other failure is one of the connection. */
export function isRefusal(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "ReplyError";
}
