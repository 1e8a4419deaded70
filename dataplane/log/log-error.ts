/**
 * - unavailable: the log could not be reached in time; try again
 * - missing: there is no such stream
 * - recreated: the stream has another creation time than the one that was opened: another history
 * - trimmed: the wanted entry is no longer in the log
 * - corrupt: an entry has our mark but cannot be read
 */
export type LogErrorCode = 'unavailable' | 'missing' | 'recreated' | 'trimmed' | 'corrupt';

/** What the log throws. Outcomes of an append are values, not errors. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
