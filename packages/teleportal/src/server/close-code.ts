/** Why the server closes a connection: RFC 6455 section 7.4, and 4000-4999 for applications. */
export const CloseCode = {
  goingAway: 1001,
  malformed: 1007,
  tooLarge: 1009,
  internalError: 1011,
  tryAgainLater: 1013,
  /** The same as Hocuspocus's: the client may come again, and is asked for its permission anew. */
  reset: 4205,
  permissionDenied: 4403,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
