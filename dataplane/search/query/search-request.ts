import { z } from 'zod';
import { badRequest } from '../search-error.ts';
import type { SortField } from '../scoring/sort.ts';
import { parseQuery } from './parse-query.ts';
import type { Query } from './query.ts';
import { parseSort, sortJson } from './parse-sort.ts';
import { type HighlightRequest, highlightJson, parseHighlight } from './parse-highlight.ts';
import { parseSourceFilter, type SourceFilter, sourceJson } from './parse-source-filter.ts';

/** Deepest hit that a search may ask for: from + size. */
export const maxResultWindow = 10_000;
/** Matches are counted exactly up to here unless the request says otherwise. */
export const defaultCountUpTo = 10_000;

const integer = z.coerce.number().int();

const body = z.strictObject({
  query: z.unknown().optional(),
  from: integer.min(0).optional(),
  size: integer.min(0).optional(),
  sort: sortJson.optional(),
  _source: sourceJson.optional(),
  highlight: highlightJson.optional(),
  track_total_hits: z.union([z.boolean(), integer.min(0)]).optional(),
  track_scores: z.boolean().optional(),
  search_after: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  timeout: z
    .string()
    .regex(/^\d{1,7}(?:ms|s|m)$/)
    .optional(),
  version: z.boolean().optional(),
  seq_no_primary_term: z.boolean().optional(),
  min_score: z.number().optional(),
  explain: z.literal(false).optional(),
});

/** A search as the client meant it. */
export interface SearchRequest {
  readonly query: Query;
  readonly from: number;
  readonly size: number;
  /** Null: by score. */
  readonly sort: readonly SortField[] | null;
  readonly source: SourceFilter;
  readonly highlight: HighlightRequest | null;
  /** Infinity: count all. */
  readonly countUpTo: number;
  /** `track_total_hits: false`: no total in the answer. */
  readonly showTotal: boolean;
  readonly searchAfter: readonly (string | number | null)[] | null;
  /** Milliseconds after which missing shards are given up; null: the default. */
  readonly timeoutMs: number | null;
  readonly showVersion: boolean;
  readonly showSeqNo: boolean;
}

const unsupported: Readonly<Record<string, string>> = {
  aggs: 'aggregations are not supported yet',
  aggregations: 'aggregations are not supported yet',
  suggest: 'suggesters are not supported yet',
  collapse: 'collapsing is not supported yet',
  rescore: 'rescoring is not supported yet',
};

const unitsMs = { ms: 1, s: 1000, m: 60_000 } as const;

function timeoutOf(text: string | undefined): number | null {
  const [, amount, unit] = /^(\d+)(ms|s|m)$/.exec(text ?? '') ?? [];
  return amount === undefined ? null : Number(amount) * unitsMs[unit as keyof typeof unitsMs];
}

function check(json: unknown): z.infer<typeof body> {
  const parsed = body.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    throw badRequest('parsing_exception', `Unknown key for a value in [${key}]: ${unsupported[key] ?? 'not known'}`);
  }
  throw badRequest('parsing_exception', `[${issue?.path.join('.') ?? ''}] ${issue?.message ?? 'is not valid'}`);
}

function checkWindow(from: number, size: number): void {
  if (from + size <= maxResultWindow) return;
  throw badRequest(
    'illegal_argument_exception',
    `Result window is too large, from + size must be less than or equal to: [${maxResultWindow}] but was [${from + size}]. Use search_after to go deeper.`,
  );
}

function searchAfterOf(
  { search_after: given }: z.infer<typeof body>,
  sort: readonly SortField[] | null,
  from: number,
): SearchRequest['searchAfter'] {
  if (given === undefined) return null;
  if (sort === null || given.length !== sort.length || from > 0) {
    throw badRequest('illegal_argument_exception', '[search_after] needs [sort] with as many fields, and [from] 0');
  }
  return given.map((key) => (typeof key === 'boolean' ? Number(key) : key));
}

/** Reads the body of `_search`. Throws bad-request. */
export function parseSearchRequest(json: unknown): SearchRequest {
  const data = check(json ?? {});
  const { from = 0, size = 10 } = data;
  checkWindow(from, size);
  if (data.min_score !== undefined) throw badRequest('parsing_exception', '[min_score] is not supported yet');
  const sort = parseSort(data.sort);
  return {
    query: data.query === undefined ? { type: 'match_all', boost: 1 } : parseQuery(data.query),
    from,
    size,
    sort,
    source: parseSourceFilter(data._source),
    highlight: data.highlight === undefined ? null : parseHighlight(data.highlight),
    countUpTo: countFor(data.track_total_hits),
    showTotal: data.track_total_hits !== false,
    searchAfter: searchAfterOf(data, sort, from),
    timeoutMs: timeoutOf(data.timeout),
    showVersion: data.version === true,
    showSeqNo: data.seq_no_primary_term === true,
  };
}

function countFor(track: boolean | number | undefined): number {
  if (typeof track === 'number') return track;
  if (track === false) return 0;
  return track === true ? Number.MAX_SAFE_INTEGER : defaultCountUpTo;
}
