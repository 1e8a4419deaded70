/**
 * Why a request to the API failed. `exists`: a create of a name that is taken;
 * `conflict`: a resourceVersion, uid or field-manager conflict; `gone`: a
 * resourceVersion or continue token too old; `timeout`: our own deadline;
 * `aborted`: the caller's signal; `unavailable`: no connection, or a 5xx.
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

/** The one error of the client. After `timeout`, `aborted` or `unavailable` a write may have happened. */
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

/** True for a KubeError with one of the codes, or with any when none is given. */
export function isKubeError(error: unknown, ...codes: KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

/** The parts of `metav1.Status` that tell what went wrong. */
export interface ApiStatus {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly field?: string }[];
  };
}

const CODE_BY_STATUS: Readonly<Record<number, KubeErrorCode>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  405: 'invalid',
  408: 'unavailable',
  409: 'conflict',
  410: 'gone',
  413: 'invalid',
  415: 'invalid',
  422: 'invalid',
  429: 'too-many-requests',
};

/** The error for an answer with this HTTP status and body (a Status object, or whatever a proxy sent). */
export function errorFromStatus(httpStatus: number, status: ApiStatus, retryAfterSeconds?: number): KubeError {
  const fallback = httpStatus >= 500 ? 'unavailable' : 'bad-answer';
  const code = reasonCode(status) ?? CODE_BY_STATUS[httpStatus] ?? fallback;
  const seconds = retryAfterSeconds ?? status.details?.retryAfterSeconds;
  return new KubeError(code, status.message ?? `HTTP ${httpStatus}`, {
    status: httpStatus,
    retryAfterMs: seconds === undefined ? undefined : seconds * 1000,
  });
}

function reasonCode({ reason, message, details }: ApiStatus): KubeErrorCode | undefined {
  if (reason === 'AlreadyExists') return 'exists';
  if (reason === 'Expired' || reason === 'Gone') return 'gone';
  // An apply with the uid of an earlier object of the name: the server calls it a change of an immutable field.
  if (details?.causes?.some(({ field }) => field === 'metadata.uid')) return 'conflict';
  // A server-side apply whose types do not match the schema is the caller's fault, yet is answered with 500.
  if (message?.startsWith('failed to create typed patch object')) return 'invalid';
  return undefined;
}
