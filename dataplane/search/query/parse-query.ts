import type { z } from 'zod';
import { badRequest } from '../search-error.ts';
import { type Shapes, shapes, termsValues } from './dsl-schemas.ts';
import { type MinimumShouldMatch, parseMinimumShouldMatch } from './minimum-should-match.ts';
import type { BoostedField, Query, Scalar } from './query.ts';

/** Queries within queries. */
export const maxQueryDepth = 30;
/** Queries in one request. */
export const maxClauses = 1024;

type Json = Record<string, unknown>;
type QueryName = keyof typeof shapes;

const refused = (reason: string): Error => badRequest('parsing_exception', reason);

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One OpenSearch query in JSON to a {@link Query}. Throws bad-request with the type parsing_exception, naming the clause. */
export function parseQuery(json: unknown): Query {
  return new QueryParser().parse(json, 1);
}

function check<K extends QueryName>(name: K, value: unknown): Shapes[K] {
  const result = shapes[name].safeParse(value) as z.ZodSafeParseResult<Shapes[K]>;
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue?.code === 'unrecognized_keys') throw refused(`[${name}] query does not support [${issue.keys.join(', ')}]`);
  const at = issue?.path.join('.') ?? '';
  throw refused(`[${name}] ${at === '' ? 'malformed query' : `[${at}]`}: ${issue?.message ?? 'not valid'}`);
}

function minimum(name: QueryName, value: string | number | undefined): MinimumShouldMatch | null {
  if (value === undefined) return null;
  const parsed = parseMinimumShouldMatch(value);
  if (parsed === null) throw refused(`[${name}] [minimum_should_match] is not valid: [${String(value).slice(0, 50)}]`);
  return parsed;
}

/** `title^2` */
export function parseFields(fields: readonly string[] | undefined): BoostedField[] {
  if (fields === undefined || fields.length === 0) return [{ pattern: '*', boost: 1 }];
  return fields.map((field) => {
    const [, pattern, boost] = /^(.*?)(?:\^(\d{1,4}(?:\.\d{1,6})?))?$/.exec(field) ?? [];
    return { pattern: pattern ?? field, boost: Number(boost ?? 1) };
  });
}

/** The one field of `{ field: … }`; a bare value stands for `{ [key]: value }`. */
function single(name: QueryName, value: unknown, key: string | null): { field: string; body: Json } {
  if (!isObject(value)) throw refused(`[${name}] query malformed, no start_object after query name`);
  const entries = Object.entries(value);
  const [entry] = entries;
  if (entry === undefined) throw refused(`[${name}] query malformed: no field`);
  if (entries.length > 1) {
    throw refused(`[${name}] query doesn't support multiple fields, found [${entry[0]}] and [${entries[1]?.[0]}]`);
  }
  const [field, body] = entry;
  if (isObject(body)) return { field, body };
  if (key === null || Array.isArray(body) || body === null)
    throw refused(`[${name}] query does not support [${field}]`);
  return { field, body: { [key]: body } };
}

class QueryParser {
  #clauses = 0;

  parse(json: unknown, depth: number): Query {
    if (depth > maxQueryDepth) {
      throw badRequest(
        'parsing_exception',
        `The nested depth of the query exceeds the maximum nested depth [${maxQueryDepth}]`,
      );
    }
    if (++this.#clauses > maxClauses) throw badRequest('too_many_clauses', `maxClauseCount is set to ${maxClauses}`);
    if (!isObject(json)) throw refused('[_na] query malformed, must start with start_object');
    const entries = Object.entries(json);
    const [entry] = entries;
    if (entry === undefined) throw badRequest('illegal_argument_exception', 'query malformed, empty clause found');
    if (entries.length > 1) {
      throw refused(`[${entry[0]}] malformed query, expected [END_OBJECT] but found [${entries[1]?.[0]}]`);
    }
    const [name, value] = entry;
    if (!Object.hasOwn(parsers, name)) throw refused(`unknown query [${name.slice(0, 100)}]`);
    return parsers[name as QueryName](value, (inner) => this.parse(inner, depth + 1));
  }
}

type Nested = (json: unknown) => Query;

const listOf = (value: unknown, nested: Nested): Query[] => {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value.map(nested) : [nested(value)];
};

function parseTerms(value: unknown): Query {
  if (!isObject(value)) throw refused('[terms] query malformed, no start_object after query name');
  const { boost, _name: _, ...rest } = check('terms', value);
  const { field, body } = single('terms', Object.fromEntries(Object.entries(rest).map(([k, v]) => [k, { v }])), null);
  const values = termsValues.safeParse(body['v']);
  if (!values.success) throw refused(`[terms] query requires an array of values for [${field}]`);
  return { type: 'terms', field, values: values.data.filter((one): one is Scalar => one !== null), boost };
}

function parseRange(value: unknown): Query {
  const { field, body } = single('range', value, null);
  const { boost, format: _, _name, ...bounds } = check('range', body);
  const given = Object.fromEntries(Object.entries(bounds).filter(([, bound]) => bound !== null && bound !== undefined));
  return { type: 'range', field, bounds: given, boost };
}

function parseBool(value: unknown, nested: Nested): Query {
  const body = check('bool', value);
  return {
    type: 'bool',
    must: listOf(body.must, nested),
    filter: listOf(body.filter, nested),
    should: listOf(body.should, nested),
    mustNot: listOf(body.must_not, nested),
    minimumShouldMatch: minimum('bool', body.minimum_should_match),
    boost: body.boost,
  };
}

const parsers: Record<QueryName, (value: unknown, nested: Nested) => Query> = {
  match_all: (value) => ({ type: 'match_all', boost: check('match_all', value).boost }),
  match_none: (value) => {
    check('match_none', value);
    return { type: 'match_none' };
  },
  match: (value) => {
    const { field, body } = single('match', value, 'query');
    const { query, operator, minimum_should_match: msm, boost } = check('match', body);
    return { type: 'match', field, text: query, operator, minimumShouldMatch: minimum('match', msm), boost };
  },
  match_phrase: (value) => {
    const { field, body } = single('match_phrase', value, 'query');
    const { query, slop, boost } = check('match_phrase', body);
    return { type: 'match_phrase', field, text: query, slop, boost };
  },
  term: (value) => {
    const { field, body } = single('term', value, 'value');
    const { value: term, boost } = check('term', body);
    return { type: 'term', field, value: term, boost };
  },
  prefix: (value) => {
    const { field, body } = single('prefix', value, 'value');
    const { value: prefix, boost } = check('prefix', body);
    return { type: 'prefix', field, value: prefix, boost };
  },
  exists: (value) => {
    const { field, boost } = check('exists', value);
    return { type: 'exists', field, boost };
  },
  ids: (value) => {
    const { values, boost } = check('ids', value);
    return { type: 'ids', values, boost };
  },
  terms: parseTerms,
  range: parseRange,
  bool: parseBool,
  dis_max: (value, nested) => {
    const { queries, tie_breaker: tieBreaker, boost } = check('dis_max', value);
    return { type: 'dis_max', queries: queries.map(nested), tieBreaker, boost };
  },
  constant_score: (value, nested) => {
    const { filter, boost } = check('constant_score', value);
    return { type: 'constant_score', filter: nested(filter), boost };
  },
  multi_match: (value) => {
    const body = check('multi_match', value);
    return {
      type: 'multi_match',
      text: body.query,
      fields: parseFields(body.fields),
      kind: body.type,
      operator: body.operator,
      minimumShouldMatch: minimum('multi_match', body.minimum_should_match),
      tieBreaker: body.tie_breaker,
      boost: body.boost,
    };
  },
  simple_query_string: (value) => {
    const body = check('simple_query_string', value);
    return {
      type: 'simple_query_string',
      text: body.query,
      fields: parseFields(body.fields),
      defaultOperator: body.default_operator,
      minimumShouldMatch: minimum('simple_query_string', body.minimum_should_match),
      boost: body.boost,
    };
  },
};
