/**
 * Why a request to the API failed. `conflict` is a resourceVersion, uid or
 * field-manager conflict; `exists` a create of a name that is taken; `gone` a
 * resourceVersion or continue token too old; `timeout` our own deadline;
 * `aborted` the caller's signal; `unavailable` no connection or a 5xx.
 */
export type KubeErrorCode =
  | 'not-found'
  | 'exists'
  | 'conflict'
  | 'gone'
  | 'invalid'
  | 'forbidden'
  | 'unauthorized'
  | 'too-many-requests'
  | 'unavailable'
  | 'timeout'
  | 'aborted'
  | 'bad-answer';

/** The one error of the client. After `timeout` or `unavailable` a write may have happened. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly code: KubeErrorCode;
  /** HTTP status, where an answer came. */
  readonly status: number | undefined;
  /** The server asked to wait this long (Retry-After), ms. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: KubeErrorCode,
    message: string,
    detail: { cause?: unknown; status?: number | undefined; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.status = detail.status;
    this.retryAfterMs = detail.retryAfterMs;
  }
}

/** True for a KubeError with one of the codes. */
export function isKubeError(error: unknown, ...codes: KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}
