/**
 * Everything that can go wrong in `local/` and that a person has to act on.
 * - tool-missing: a program (etcd, nats-server, …) is neither on PATH nor in the cache
 * - port-busy: another process listens on a port that we need
 * - stale-state: the state directory was left by another version or a crash, the message says what to do
 * - already-running: another supervisor owns the state directory
 * - not-running: there is no supervisor to talk to
 * - start-failed: a program ended, or was not ready in time
 * - unknown-name: no such node or pod
 * - invalid: what was asked makes no sense
 * - request-failed: the Kubernetes API refused a request, or did not answer
 */
export type LocalErrorCode =
  | 'tool-missing'
  | 'port-busy'
  | 'stale-state'
  | 'already-running'
  | 'not-running'
  | 'start-failed'
  | 'unknown-name'
  | 'invalid'
  | 'request-failed';

/** The one error class of `local/`. Its message is one line that can be shown to a person as it is. */
export class LocalError extends Error {
  readonly code: LocalErrorCode;

  constructor(code: LocalErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LocalError';
    this.code = code;
  }
}

/** What to show a person about anything that was thrown. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
