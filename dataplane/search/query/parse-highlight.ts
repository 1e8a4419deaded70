import { z } from 'zod';
import { parseQuery } from './parse-query.ts';
import type { Query } from './query.ts';

const tags = z.union([z.string().transform((tag) => [tag]), z.array(z.string()).min(1)]);
const shared = {
  pre_tags: tags.optional(),
  post_tags: tags.optional(),
  fragment_size: z.number().int().min(0).max(100_000).optional(),
  number_of_fragments: z.number().int().min(0).max(100).optional(),
  no_match_size: z.number().int().min(0).max(100_000).optional(),
  require_field_match: z.boolean().optional(),
  type: z.enum(['unified', 'plain', 'fvh']).optional(),
  order: z.enum(['score', 'none']).optional(),
  encoder: z.enum(['default', 'html']).optional(),
  highlight_query: z.unknown().optional(),
} as const;
const fields = z.record(z.string(), z.strictObject(shared));

/** `highlight` of a search. */
export const highlightJson = z.strictObject({
  ...shared,
  fields: z.union([fields, z.array(fields).transform((list) => Object.assign({}, ...list) as z.output<typeof fields>)]),
});

export interface FieldHighlight {
  /** May hold `*`. */
  readonly pattern: string;
  readonly preTag: string;
  readonly postTag: string;
  /** Characters. */
  readonly fragmentSize: number;
  /** 0: the whole field. */
  readonly fragments: number;
  /** Characters of the beginning that are shown when nothing matches. */
  readonly noMatchSize: number;
  readonly byScore: boolean;
  readonly escapeHtml: boolean;
  /** False: words that the query looks for in any field are marked. */
  readonly ownFieldOnly: boolean;
}

export interface HighlightRequest {
  readonly fields: readonly FieldHighlight[];
  /** Highlights this instead of the search's own query. */
  readonly query: Query | null;
}

/** Reads `highlight`. Throws bad-request for its query. */
export function parseHighlight(json: z.output<typeof highlightJson>): HighlightRequest {
  return {
    query: json.highlight_query === undefined ? null : parseQuery(json.highlight_query),
    fields: Object.entries(json.fields).map(([pattern, own]): FieldHighlight => {
      const given = { ...json, ...own };
      return {
        pattern,
        preTag: given.pre_tags?.[0] ?? '<em>',
        postTag: given.post_tags?.[0] ?? '</em>',
        fragmentSize: given.fragment_size ?? 100,
        fragments: given.number_of_fragments ?? 5,
        noMatchSize: given.no_match_size ?? 0,
        byScore: given.order === 'score',
        escapeHtml: given.encoder === 'html',
        ownFieldOnly: given.require_field_match !== false,
      };
    }),
  };
}
