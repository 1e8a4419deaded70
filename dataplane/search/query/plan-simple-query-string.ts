import type { FieldMapping } from '../mapping/field-mapping.ts';
import type { Planner } from './make-plan.ts';
import { requiredMatches } from './minimum-should-match.ts';
import { anyOf, nothing, type Plan } from './plan.ts';
import type { Query } from './query.ts';
import { parseSimpleQueryString, type SimpleNode } from './simple-query-string.ts';
import { SearchError } from '../search-error.ts';

type SimpleQuery = Extract<Query, { type: 'simple_query_string' }>;
type Leaf = Exclude<SimpleNode, { type: 'group' | 'or' }>;

/** The plan of a `simple_query_string`: each word may stand in any of the fields; their scores add up. Never throws. */
export function planSimpleQueryString(planner: Planner, query: SimpleQuery, boost: number): Plan {
  const root = parseSimpleQueryString(query.text, query.defaultOperator === 'and');
  if (root === null) return nothing;
  return new SimplePlanner(planner, query, boost).plan(root, true);
}

class SimplePlanner {
  readonly #planner: Planner;
  readonly #query: SimpleQuery;
  readonly #fields: readonly { field: FieldMapping; boost: number }[];

  constructor(planner: Planner, query: SimpleQuery, boost: number) {
    this.#planner = planner;
    this.#query = query;
    this.#fields = planner.fields(query.fields).map(({ field, boost: own }) => ({ field, boost: boost * own }));
  }

  plan(node: SimpleNode, top: boolean): Plan {
    if (node.type === 'or') return this.#any(node.branches, top);
    if (node.type !== 'group') return this.#leaf(node);
    const optional = node.optional.map((child) => this.plan(child, false));
    const required = node.required.map((child) => this.plan(child, false));
    return {
      type: 'bool',
      parts: {
        must: required,
        filter: [],
        should: optional,
        mustNot: node.excluded.map((child) => this.plan(child, false)),
        minimumShould: this.#minimum(optional.length, required.length, top),
      },
    };
  }

  #any(branches: readonly SimpleNode[], top: boolean): Plan {
    const plans = branches.map((branch) => this.plan(branch, false));
    return anyOf(plans, this.#minimum(plans.length, 0, top));
  }

  #minimum(optional: number, required: number, top: boolean): number {
    const { minimumShouldMatch } = this.#query;
    if (optional === 0) return 0;
    const least = required > 0 ? 0 : 1;
    return top && minimumShouldMatch !== null ? Math.max(least, requiredMatches(minimumShouldMatch, optional)) : least;
  }

  #leaf(node: Leaf): Plan {
    return anyOf(this.#fields.map(({ field, boost }) => this.#inField(node, field.path, boost)));
  }

  #inField(node: Leaf, path: string, boost: number): Plan {
    try {
      if (node.type === 'phrase') return this.#planner.phrase(path, node.text, node.slop, boost);
      if (node.type === 'prefix') return this.#planner.wordPrefix(path, node.text, boost);
      const matching = { operator: this.#query.defaultOperator, minimumShouldMatch: null, boost };
      return this.#planner.text(path, node.text, matching);
    } catch (error) {
      // a word that does not fit a number field matches nothing there
      if (error instanceof SearchError) return nothing;
      throw error;
    }
  }
}
