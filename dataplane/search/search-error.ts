/**
 * What the search service throws.
 * - damaged: a file of the index does not match its checksum
 * - bad-request: what the client asked cannot be understood; `type` is OpenSearch's name for it
 * - conflict: a version or existence condition does not hold
 * - index-missing, index-exists
 * - not-primary: a write reached a replica that does not lead; surely not executed
 * - overloaded: too much waits; surely not executed
 * - unknown-outcome: it may have been executed, or may yet be
 * - unavailable: no replica answered in time
 * - too-large: over a limit on size
 */
export type SearchErrorCode =
  | 'damaged'
  | 'bad-request'
  | 'conflict'
  | 'index-missing'
  | 'index-exists'
  | 'not-primary'
  | 'overloaded'
  | 'unknown-outcome'
  | 'unavailable'
  | 'too-large';

/** The one error of the search service. */
export class SearchError extends Error {
  override readonly name = 'SearchError';
  readonly code: SearchErrorCode;
  /** OpenSearch's `error.type`. */
  readonly type: string;

  constructor(code: SearchErrorCode, type: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.type = type;
  }
}

/** A request that cannot be understood: 400. */
export const badRequest = (type: string, message: string): SearchError => new SearchError('bad-request', type, message);
