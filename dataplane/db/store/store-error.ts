/**
 * - too-old: the state at a sequence is not kept any more
 * - not-yet: the sequence is not applied here yet
 * - newer-format: the file was written by a newer version of this software
 */
export type StoreErrorCode = 'too-old' | 'not-yet' | 'newer-format';

/** What the store refuses; the message says what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
