/**
 * Why an exchange with the origin gave no response:
 * - unreachable: no connection, or it closed before a response
 * - timeout: connected, but silent for too long
 * - bad-response: what came back is not HTTP
 * - overloaded: too many exchanges wait for this origin already; nothing was sent
 * - no-origin: no origin is configured for the host
 * - aborted: this side gave up
 */
export type EdgeErrorCode = 'unreachable' | 'timeout' | 'bad-response' | 'overloaded' | 'no-origin' | 'aborted';

export class EdgeError extends Error {
  override readonly name = 'EdgeError';
  readonly code: EdgeErrorCode;

  constructor(code: EdgeErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** The status that a client gets (RFC 9110 section 15.6). */
export const statusOf = (code: EdgeErrorCode): 502 | 503 | 504 => {
  if (code === 'timeout') return 504;
  return code === 'overloaded' ? 503 : 502;
};
