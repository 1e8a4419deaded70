/**
 * First word of an error reply; clients match on it.
 * - ERR: the command is wrong, or refused by a limit
 * - WRONGTYPE: the key holds a value of another type
 * - WRONGPASS, NOPROTO, EXECABORT: as in Redis
 * - CROSSSHARD: the keys of one atomic command live in several shards
 * - CLUSTERDOWN: no shard serves the key (no database, a gap, or ranges that overlap)
 * - TRYAGAIN: surely not executed; the shard had no primary in time, or too much was waiting
 * - UNKNOWN: may or may not have been executed; only the caller can know whether to repeat it
 * - STALE: no member of the shard can answer with the freshness that was asked for
 * - COMPACTED: what was asked for is older than what is kept; the message says what the oldest is
 * - OOM: the shard's log or disk is full; surely not executed
 */
export type DbErrorCode =
  | 'ERR'
  | 'WRONGTYPE'
  | 'WRONGPASS'
  | 'NOPROTO'
  | 'EXECABORT'
  | 'CROSSSHARD'
  | 'CLUSTERDOWN'
  | 'TRYAGAIN'
  | 'UNKNOWN'
  | 'STALE'
  | 'COMPACTED'
  | 'OOM';

/** Any failure of the database; `code` and message together are the error reply. */
export class DbError extends Error {
  override readonly name = 'DbError';
  readonly code: DbErrorCode;

  constructor(code: DbErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The error reply of anything thrown: a DbError speaks for itself, anything else is an internal error. */
export const errorLine = (error: unknown): string =>
  error instanceof DbError ? `${error.code} ${error.message}` : `ERR internal error: ${String(error)}`;
