import { z } from 'zod';
import { maxBoost } from '../scoring/bm25.ts';

const boost = z.coerce.number().min(0).max(maxBoost).default(1);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const text = scalar.transform(String);
const msm = z.union([z.string(), z.number()]).optional();
const operator = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['and', 'or']))
  .default('or');
const name = z.string().optional();
const fields = z.union([z.string().transform((field) => [field]), z.array(z.string()).max(1000)]).optional();

/** `{ field: value }` or `{ field: { [key]: value, … } }`: one field exactly. */
export const shapes = {
  match_all: z.strictObject({ boost, _name: name }),
  match_none: z.strictObject({ _name: name }),
  match: z.strictObject({
    query: text,
    operator,
    minimum_should_match: msm,
    boost,
    lenient: z.boolean().optional(),
    _name: name,
  }),
  match_phrase: z.strictObject({ query: text, slop: z.number().int().min(0).max(1000).default(0), boost, _name: name }),
  term: z.strictObject({ value: scalar, boost, _name: name }),
  range: z.strictObject({
    gt: scalar.nullish(),
    gte: scalar.nullish(),
    lt: scalar.nullish(),
    lte: scalar.nullish(),
    boost,
    format: z.string().optional(),
    _name: name,
  }),
  prefix: z.strictObject({ value: text, boost, _name: name }),
  exists: z.strictObject({ field: z.string(), boost, _name: name }),
  ids: z.strictObject({
    values: z.union([z.array(text).max(65_536), text.transform((id) => [id])]),
    boost,
    _name: name,
  }),
  terms: z.looseObject({ boost, _name: name }),
  bool: z.strictObject({
    must: z.unknown().optional(),
    filter: z.unknown().optional(),
    should: z.unknown().optional(),
    must_not: z.unknown().optional(),
    minimum_should_match: msm,
    boost,
    adjust_pure_negative: z.boolean().optional(),
    _name: name,
  }),
  dis_max: z.strictObject({
    queries: z.array(z.unknown()),
    tie_breaker: z.number().min(0).max(1).default(0),
    boost,
    _name: name,
  }),
  constant_score: z.strictObject({ filter: z.unknown().optional(), boost, _name: name }),
  multi_match: z.strictObject({
    query: text,
    fields,
    type: z.enum(['best_fields', 'most_fields', 'phrase']).default('best_fields'),
    operator,
    minimum_should_match: msm,
    tie_breaker: z.number().min(0).max(1).default(0),
    boost,
    _name: name,
  }),
  simple_query_string: z.strictObject({
    query: text,
    fields,
    default_operator: operator,
    minimum_should_match: msm,
    boost,
    lenient: z.boolean().optional(),
    analyze_wildcard: z.boolean().optional(),
    flags: z.string().optional(),
    _name: name,
  }),
} as const;

export type Shapes = { [K in keyof typeof shapes]: z.infer<(typeof shapes)[K]> };
export const termsValues = z.array(scalar.nullable()).max(65_536);
