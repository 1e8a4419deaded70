import { z } from 'zod';
import { badRequest } from '../search-error.ts';
import type { SortField } from '../scoring/sort.ts';

const order = z.enum(['asc', 'desc']);
const options = z.strictObject({
  order: order.optional(),
  missing: z.enum(['_last', '_first']).optional(),
  unmapped_type: z.string().optional(),
  mode: z.enum(['min', 'max']).optional(),
});
const criterion = z.union([z.string(), z.record(z.string(), z.union([order, options]))]);

/** `sort` of a search: one criterion or several. */
export const sortJson = z.union([criterion, z.array(criterion).max(32)]);

function fieldOf(field: string, given: z.infer<typeof options>): SortField {
  const descending = (given.order ?? (field === '_score' ? 'desc' : 'asc')) === 'desc';
  return { field, descending, missingFirst: given.missing === '_first' };
}

function fieldsOf(json: z.infer<typeof criterion>): SortField[] {
  if (typeof json === 'string') {
    const [field = '', given] = json.split(':');
    const parsed = order.optional().safeParse(given);
    if (!parsed.success) throw badRequest('illegal_argument_exception', `Unknown sort order [${given}]`);
    return [fieldOf(field, { order: parsed.data })];
  }
  return Object.entries(json).map(([field, given]) =>
    fieldOf(field, typeof given === 'string' ? { order: given } : given),
  );
}

/** Null: by score, best first. `_doc` asks for any order: ours is by id, then. */
export function parseSort(json: z.infer<typeof sortJson> | undefined): SortField[] | null {
  if (json === undefined) return null;
  const sort = (Array.isArray(json) ? json : [json])
    .flatMap(fieldsOf)
    .map((one) => (one.field === '_doc' ? { ...one, field: '_id' } : one));
  const [only] = sort;
  const byScore = sort.length === 1 && only?.field === '_score' && only.descending;
  return sort.length === 0 || byScore ? null : sort;
}
