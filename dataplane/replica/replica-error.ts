/**
 * - not-primary: this replica does not lead; surely not executed
 * - overloaded: too many or too large operations wait, or the log has been out of reach for a while; surely not executed
 * - log-full: the log refused for lack of space; surely not executed
 * - too-large: the operation does not fit into an entry; surely not executed
 * - unknown-outcome: it may have been executed, or may yet be
 */
export type ReplicaErrorCode = 'not-primary' | 'overloaded' | 'log-full' | 'too-large' | 'unknown-outcome';

/** What {@link Replica} rejects with. */
export class ReplicaError extends Error {
  override readonly name = 'ReplicaError';
  readonly code: ReplicaErrorCode;

  constructor(code: ReplicaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
