import type { MinimumShouldMatch } from './minimum-should-match.ts';

/** A value of a term or range query. */
export type Scalar = string | number | boolean;

export type Operator = 'and' | 'or';

/** A field that is searched, and how much its score counts. */
export interface BoostedField {
  /** May end in `*`; `*` alone: all text fields. */
  readonly pattern: string;
  readonly boost: number;
}

export interface RangeBounds {
  readonly gt?: Scalar;
  readonly gte?: Scalar;
  readonly lt?: Scalar;
  readonly lte?: Scalar;
}

/** A query as the client meant it: OpenSearch's query DSL, checked, free of its short forms. */
export type Query =
  | { readonly type: 'match_all'; readonly boost: number }
  | { readonly type: 'match_none' }
  | {
      readonly type: 'match';
      readonly field: string;
      readonly text: string;
      readonly operator: Operator;
      readonly minimumShouldMatch: MinimumShouldMatch | null;
      readonly boost: number;
    }
  | {
      readonly type: 'match_phrase';
      readonly field: string;
      readonly text: string;
      readonly slop: number;
      readonly boost: number;
    }
  | { readonly type: 'term'; readonly field: string; readonly value: Scalar; readonly boost: number }
  | { readonly type: 'terms'; readonly field: string; readonly values: readonly Scalar[]; readonly boost: number }
  | { readonly type: 'range'; readonly field: string; readonly bounds: RangeBounds; readonly boost: number }
  | { readonly type: 'exists'; readonly field: string; readonly boost: number }
  | { readonly type: 'prefix'; readonly field: string; readonly value: string; readonly boost: number }
  | { readonly type: 'ids'; readonly values: readonly string[]; readonly boost: number }
  | {
      readonly type: 'bool';
      readonly must: readonly Query[];
      readonly filter: readonly Query[];
      readonly should: readonly Query[];
      readonly mustNot: readonly Query[];
      readonly minimumShouldMatch: MinimumShouldMatch | null;
      readonly boost: number;
    }
  | {
      readonly type: 'dis_max';
      readonly queries: readonly Query[];
      readonly tieBreaker: number;
      readonly boost: number;
    }
  | { readonly type: 'constant_score'; readonly filter: Query; readonly boost: number }
  | {
      readonly type: 'multi_match';
      readonly text: string;
      readonly fields: readonly BoostedField[];
      readonly kind: 'best_fields' | 'most_fields' | 'phrase';
      readonly operator: Operator;
      readonly minimumShouldMatch: MinimumShouldMatch | null;
      readonly tieBreaker: number;
      readonly boost: number;
    }
  | {
      readonly type: 'simple_query_string';
      readonly text: string;
      readonly fields: readonly BoostedField[];
      readonly defaultOperator: Operator;
      readonly minimumShouldMatch: MinimumShouldMatch | null;
      readonly boost: number;
    };
