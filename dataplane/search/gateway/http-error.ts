import { SearchError, type SearchErrorCode } from '../search-error.ts';

const statusOf: Record<SearchErrorCode, number> = {
  'bad-request': 400,
  conflict: 409,
  damaged: 500,
  'index-exists': 400,
  'index-missing': 404,
  'not-primary': 503,
  overloaded: 429,
  'too-large': 413,
  'unknown-outcome': 503,
  unavailable: 503,
};

export interface ErrorBody {
  readonly error: {
    readonly root_cause: readonly { readonly type: string; readonly reason: string }[];
    readonly type: string;
    readonly reason: string;
  };
  readonly status: number;
}

/** An error in OpenSearch's shape. */
export function errorBody(status: number, type: string, reason: string): ErrorBody {
  return { error: { root_cause: [{ type, reason }], type, reason }, status };
}

/** What a client is told of an error. Bugs show as 500 without their details. */
export function errorBodyOf(error: unknown): ErrorBody {
  if (error instanceof SearchError) return errorBody(statusOf[error.code], error.type, error.message);
  return errorBody(500, 'exception', 'an internal error occurred; the log of the gateway has it');
}

export const indexMissing = (index: string): SearchError =>
  new SearchError('index-missing', 'index_not_found_exception', `no such index [${index}]`);
