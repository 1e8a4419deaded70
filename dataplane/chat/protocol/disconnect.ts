/** Why a connection is closed: the WebSocket close code and reason. */
export interface Disconnect {
  readonly code: number;
  readonly reason: string;
}

/**
 * Codes as in the Centrifuge library (`disconnect.go`). A client reconnects after 3000-3499 and 4000-4499 and stays
 * away after 3500-3999 and 4500-4999.
 */
export const disconnects = {
  shutdown: { code: 3001, reason: 'shutdown' },
  serverError: { code: 3004, reason: 'internal server error' },
  expired: { code: 3005, reason: 'connection expired' },
  slow: { code: 3008, reason: 'slow' },
  insufficientState: { code: 3010, reason: 'insufficient state' },
  noPong: { code: 3012, reason: 'no pong' },
  tooManyRequests: { code: 3013, reason: 'too many requests' },
  invalidToken: { code: 3500, reason: 'invalid token' },
  badRequest: { code: 3501, reason: 'bad request' },
  stale: { code: 3502, reason: 'stale' },
  channelLimit: { code: 3505, reason: 'channel limit' },
  notAvailable: { code: 3508, reason: 'not available' },
} as const satisfies Record<string, Disconnect>;

/** Whether a client reconnects by itself after this code. */
export const clientReconnects = (code: number): boolean =>
  (code >= 3000 && code < 3500) || (code >= 4000 && code < 4500) || code >= 5000;

/**
 * Codes of an unsubscribe push: a client subscribes again by itself from 2500 on, and stays away below.
 */
export const unsubscribes = {
  /** The room is gone, or the user is no member any more. */
  byServer: { code: 2000, reason: 'unsubscribed by server' },
  /** The gateway lost its place in the stream: subscribe again, recovery tells what was lost. */
  insufficientState: { code: 2500, reason: 'insufficient state' },
} as const satisfies Record<string, Disconnect>;
