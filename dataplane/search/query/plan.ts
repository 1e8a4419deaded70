/**
 * A query as one index understands it: fields are known, text is cut into terms, short forms are spelled out.
 * What follows (statistics, clauses of a segment) needs no mappings.
 */
export type Plan =
  | { readonly type: 'none' }
  | { readonly type: 'all'; readonly boost: number }
  | { readonly type: 'term'; readonly field: string; readonly term: string; readonly boost: number }
  | {
      readonly type: 'phrase';
      readonly field: string;
      readonly terms: readonly { readonly term: string; readonly offset: number }[];
      readonly slop: number;
      readonly boost: number;
    }
  /** Any of many terms, without their statistics: prefixes, lists. */
  | { readonly type: 'anyTerm'; readonly field: string; readonly terms: readonly string[] }
  | { readonly type: 'prefix'; readonly field: string; readonly prefix: string }
  /** Numbers from `low` to `high`, both included. */
  | { readonly type: 'numbers'; readonly field: string; readonly low: number; readonly high: number }
  | { readonly type: 'anyNumber'; readonly field: string; readonly values: readonly number[] }
  | { readonly type: 'keywords'; readonly field: string; readonly bounds: KeywordBounds }
  | { readonly type: 'exists'; readonly fields: readonly string[] }
  | { readonly type: 'ids'; readonly values: readonly string[] }
  | { readonly type: 'constant'; readonly plan: Plan; readonly boost: number }
  | { readonly type: 'bool'; readonly parts: PlanParts }
  | { readonly type: 'max'; readonly plans: readonly Plan[]; readonly tieBreaker: number };

export interface PlanParts {
  readonly must: readonly Plan[];
  readonly filter: readonly Plan[];
  readonly should: readonly Plan[];
  readonly mustNot: readonly Plan[];
  readonly minimumShould: number;
}

export interface KeywordBounds {
  readonly low: string | null;
  readonly lowIncluded: boolean;
  readonly high: string | null;
  readonly highIncluded: boolean;
}

export const nothing: Plan = { type: 'none' };

/** At least `minimum` of the plans; scores add up. */
export function anyOf(plans: readonly Plan[], minimum = 1): Plan {
  if (minimum > plans.length) return nothing;
  const [only] = plans;
  if (plans.length === 1 && only !== undefined) return only;
  if (plans.length === 0) return nothing;
  return { type: 'bool', parts: { must: [], filter: [], should: plans, mustNot: [], minimumShould: minimum } };
}

/** All of the plans; scores add up. */
export function allOf(plans: readonly Plan[]): Plan {
  const [only] = plans;
  if (plans.length === 1 && only !== undefined) return only;
  return { type: 'bool', parts: { must: plans, filter: [], should: [], mustNot: [], minimumShould: 0 } };
}
