import { analyzerNamed } from '../analysis/analyzer.ts';
import type { FieldMapping } from '../mapping/field-mapping.ts';
import { numericValue } from '../mapping/field-values.ts';
import type { Mappings } from '../mapping/mappings.ts';
import { badRequest } from '../search-error.ts';
import { type MinimumShouldMatch, requiredMatches } from './minimum-should-match.ts';
import { allOf, anyOf, nothing, type Plan } from './plan.ts';
import { planRange } from './plan-range.ts';
import { planSimpleQueryString } from './plan-simple-query-string.ts';
import type { BoostedField, Operator, Query, Scalar } from './query.ts';

/** How the words of a text are to match. */
export interface TextMatching {
  readonly operator: Operator;
  readonly minimumShouldMatch: MinimumShouldMatch | null;
  readonly boost: number;
}

type OfType<T extends Query['type']> = Extract<Query, { type: T }>;

/** Turns queries into plans by the mappings of one index. Fields that the index does not know match nothing. */
export class Planner {
  readonly #mappings: Mappings;

  constructor(mappings: Mappings) {
    this.#mappings = mappings;
  }

  /** `boost`: product of the boosts around this query. Throws bad-request for values that do not fit their fields. */
  plan(query: Query, boost = 1): Plan {
    const own = query.type === 'match_none' ? boost : boost * query.boost;
    return (this.#handlers[query.type] as (query: Query, boost: number) => Plan)(query, own);
  }

  readonly #handlers: { readonly [T in Query['type']]: (query: OfType<T>, boost: number) => Plan } = {
    match_all: (_, boost) => ({ type: 'all', boost }),
    match_none: () => nothing,
    match: (query, boost) => this.text(query.field, query.text, { ...query, boost }),
    match_phrase: (query, boost) => this.phrase(query.field, query.text, query.slop, boost),
    term: ({ field, value }, boost) => this.#term(field, value, boost),
    terms: ({ field, values }, boost) => constant(this.#anyValue(field, values), boost),
    range: ({ field, bounds }, boost) => {
      const mapping = this.#mappings.get(field);
      return mapping === undefined ? nothing : constant(planRange(mapping, bounds), boost);
    },
    exists: ({ field }, boost) => constant({ type: 'exists', fields: this.#under(field) }, boost),
    prefix: ({ field, value }, boost) => this.#prefix(field, value, boost),
    ids: ({ values }, boost) => constant({ type: 'ids', values }, boost),
    bool: (query, boost) => this.#bool(query, boost),
    dis_max: ({ queries, tieBreaker }, boost) => ({
      type: 'max',
      plans: queries.map((query) => this.plan(query, boost)),
      tieBreaker,
    }),
    constant_score: ({ filter }, boost) => constant(this.plan(filter), boost),
    multi_match: (query, boost) => this.#multiMatch(query, boost),
    simple_query_string: (query, boost) => planSimpleQueryString(this, query, boost),
  };

  /** The text fields that patterns name; other fields only when they are named outright. */
  fields(patterns: readonly BoostedField[]): { field: FieldMapping; boost: number }[] {
    return patterns.flatMap(({ pattern, boost }) => {
      if (!pattern.endsWith('*')) {
        const field = this.#mappings.get(pattern);
        return field === undefined ? [] : [{ field, boost }];
      }
      const prefix = pattern.slice(0, -1);
      return [...this.#mappings.all()]
        .filter(({ path, type, index }) => type === 'text' && index !== false && path.startsWith(prefix))
        .map((field) => ({ field, boost }));
    });
  }

  /** The words of a text in one field. */
  text(path: string, text: string, matching: TextMatching): Plan {
    const field = this.#mappings.get(path);
    if (field?.type !== 'text') return this.#term(path, text, matching.boost);
    const plans = this.#words(field, text).map(({ term }): Plan => ({
      type: 'term',
      field: path,
      term,
      boost: matching.boost,
    }));
    if (matching.operator === 'and' && plans.length > 0) return allOf(plans);
    const { minimumShouldMatch } = matching;
    const minimum = minimumShouldMatch === null ? 1 : requiredMatches(minimumShouldMatch, plans.length);
    return anyOf(plans, Math.max(1, minimum));
  }

  phrase(path: string, text: string, slop: number, boost: number): Plan {
    const field = this.#mappings.get(path);
    if (field?.type !== 'text') return this.#term(path, text, boost);
    const terms = this.#words(field, text);
    const [first] = terms;
    if (first === undefined) return nothing;
    return terms.length === 1
      ? { type: 'term', field: path, term: first.term, boost }
      : { type: 'phrase', field: path, terms, slop, boost };
  }

  /** A prefix of words of one field: lower case as its terms are, but not stemmed. */
  #prefix(path: string, value: string, boost: number): Plan {
    const field = this.#mappings.get(path);
    if (field === undefined || (field.type !== 'text' && field.type !== 'keyword')) return nothing;
    const prefix = field.type === 'text' ? analyzerNamed('plain').term(value) : value;
    return constant({ type: 'prefix', field: path, prefix }, boost);
  }

  wordPrefix(path: string, value: string, boost: number): Plan {
    return this.#prefix(path, value, boost);
  }

  #words(field: FieldMapping, text: string): { term: string; offset: number }[] {
    const terms: { term: string; offset: number }[] = [];
    const analyzer = analyzerNamed(this.#mappings.analyzerOf(field));
    analyzer.analyze(text, (term, offset) => terms.push({ term, offset }));
    if (terms.length > 1024) throw badRequest('too_many_clauses', 'maxClauseCount is set to 1024');
    return terms;
  }

  #term(path: string, value: Scalar, boost: number): Plan {
    if (path === '_id') return constant({ type: 'ids', values: [String(value)] }, boost);
    const field = this.#mappings.get(path);
    if (field === undefined || field.index === false) return nothing;
    if (field.type === 'text' || field.type === 'keyword')
      return { type: 'term', field: path, term: String(value), boost };
    return constant({ type: 'anyNumber', field: path, values: [this.#number(field, value)] }, boost);
  }

  #anyValue(path: string, values: readonly Scalar[]): Plan {
    if (path === '_id') return { type: 'ids', values: values.map(String) };
    const field = this.#mappings.get(path);
    if (field === undefined) return nothing;
    if (field.type === 'text' || field.type === 'keyword')
      return { type: 'anyTerm', field: path, terms: values.map(String) };
    return { type: 'anyNumber', field: path, values: values.map((value) => this.#number(field, value)) };
  }

  #number(field: FieldMapping, value: Scalar): number {
    const number = numericValue(field.type, value);
    if (number !== null) return number;
    throw badRequest(
      'query_shard_exception',
      `failed to create query: For input string: "${String(value).slice(0, 100)}" on field [${field.path}]`,
    );
  }

  /** The field, or all fields of the object of that name. */
  #under(path: string): string[] {
    if (this.#mappings.get(path) !== undefined) return [path];
    return [...this.#mappings.all()].filter((field) => field.path.startsWith(`${path}.`)).map((field) => field.path);
  }

  #bool(query: OfType<'bool'>, boost: number): Plan {
    const all = (queries: readonly Query[]): Plan[] => queries.map((inner) => this.plan(inner, boost));
    const should = all(query.should);
    const needed = query.must.length + query.filter.length > 0 ? 0 : 1;
    const { minimumShouldMatch } = query;
    const given = minimumShouldMatch === null ? needed : requiredMatches(minimumShouldMatch, should.length);
    return {
      type: 'bool',
      parts: {
        must: all(query.must),
        filter: all(query.filter),
        should,
        mustNot: all(query.mustNot),
        minimumShould: should.length === 0 ? 0 : given,
      },
    };
  }

  #multiMatch(query: OfType<'multi_match'>, boost: number): Plan {
    const plans = this.fields(query.fields).map(({ field, boost: own }) =>
      query.kind === 'phrase'
        ? this.phrase(field.path, query.text, 0, boost * own)
        : this.text(field.path, query.text, { ...query, boost: boost * own }),
    );
    return query.kind === 'most_fields' ? anyOf(plans) : { type: 'max', plans, tieBreaker: query.tieBreaker };
  }
}

/** The documents of a plan, all with the score `boost`. */
function constant(plan: Plan, boost: number): Plan {
  return { type: 'constant', plan, boost };
}
