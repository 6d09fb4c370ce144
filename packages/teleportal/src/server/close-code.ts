/** Why the server closes a connection: RFC 6455 section 7.4, and 4000-4999 for applications. */
export const CloseCode = {
  goingAway: 1001,
  malformed: 1007,
  tooLarge: 1009,
  internalError: 1011,
  tryAgainLater: 1013,
  /** Hocuspocus uses the same code: the client may come again, and is asked for its permission anew. */
  reset: 4205,
  permissionDenied: 4403,
  /** For these a y-websocket client does not come again, as for all from 4400 to 4499: what it holds would be refused each time. */
  documentTooLarge: 4413,
  unreadable: 4422,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
