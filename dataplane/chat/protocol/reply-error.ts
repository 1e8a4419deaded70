/** An error in a reply: the connection goes on. Codes below 400 are Centrifugo's, 400 and up are ours. */
export interface ReplyError {
  readonly code: number;
  readonly message: string;
  /** The client may send the same command again later. */
  readonly temporary?: true;
}

/** Codes and messages as in the Centrifuge library (`errors.go`); the last four are this service's own. */
export const replyErrors = {
  internal: { code: 100, message: 'internal server error', temporary: true },
  unauthorized: { code: 101, message: 'unauthorized' },
  unknownChannel: { code: 102, message: 'unknown channel' },
  permissionDenied: { code: 103, message: 'permission denied' },
  methodNotFound: { code: 104, message: 'method not found' },
  alreadySubscribed: { code: 105, message: 'already subscribed' },
  limitExceeded: { code: 106, message: 'limit exceeded' },
  badRequest: { code: 107, message: 'bad request' },
  notAvailable: { code: 108, message: 'not available' },
  tokenExpired: { code: 109, message: 'token expired' },
  expired: { code: 110, message: 'expired' },
  tooManyRequests: { code: 111, message: 'too many requests', temporary: true },
  unrecoverablePosition: { code: 112, message: 'unrecoverable position' },
  /** The room has as many members as its `maxMembers` allows. */
  roomFull: { code: 1000, message: 'room is full' },
  /** The moderation level `reject` refused the content. */
  contentRejected: { code: 1001, message: 'content was rejected by moderation' },
  /** A message of type `file` in a room without `fileUpload`. */
  filesNotAllowed: { code: 1002, message: 'this room does not accept files' },
  /** The store did not answer in time: the message may be stored or not. Sending it again with the same `id` is safe. */
  unknownOutcome: { code: 1003, message: 'outcome unknown; send again with the same id', temporary: true },
} as const satisfies Record<string, ReplyError>;

/** An error of the table with a message that says more. */
export const withDetail = (error: ReplyError, detail: string): ReplyError => ({
  ...error,
  message: `${error.message}: ${detail}`,
});
