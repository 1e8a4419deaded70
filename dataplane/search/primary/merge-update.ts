import { z } from 'zod';
import { badRequest } from '../search-error.ts';

type Json = Record<string, unknown>;

const updateBody = z.strictObject({
  doc: z.record(z.string(), z.unknown()).optional(),
  upsert: z.record(z.string(), z.unknown()).optional(),
  doc_as_upsert: z.boolean().default(false),
  detect_noop: z.boolean().default(true),
  _source: z.unknown().optional(),
});

/** What an `_update` makes of a document. */
export type MergedUpdate =
  { readonly kind: 'write'; readonly source: string } | { readonly kind: 'noop' } | { readonly kind: 'missing' };

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Objects are merged, everything else is replaced. */
function merge(base: Json, change: Json): Json {
  const merged = Object.assign(Object.create(null) as Json, base);
  for (const [key, value] of Object.entries(change)) {
    const own = merged[key];
    merged[key] = isObject(own) && isObject(value) ? merge(own, value) : value;
  }
  return merged;
}

function parseBody(body: string): z.infer<typeof updateBody> {
  const parsed = updateBody.safeParse(parseJson(body));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : issue?.path.join('.');
    throw badRequest('x_content_parse_exception', `[UpdateRequest] unknown or malformed field [${field}]`);
  }
  if (parsed.data.doc !== undefined || parsed.data.upsert !== undefined) return parsed.data;
  throw badRequest('action_request_validation_exception', 'Validation Failed: 1: script or doc is missing;');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRequest('parse_exception', `the update is not valid JSON: ${(error as Error).message.slice(0, 200)}`);
  }
}

/** `current`: JSON text of the document, or null. Throws bad-request. */
export function mergeUpdate(body: string, current: string | null): MergedUpdate {
  const { doc, upsert, doc_as_upsert: docAsUpsert, detect_noop: detectNoop } = parseBody(body);
  if (current === null) {
    const fresh = upsert ?? (docAsUpsert ? doc : undefined);
    return fresh === undefined ? { kind: 'missing' } : { kind: 'write', source: JSON.stringify(fresh) };
  }
  const base = JSON.parse(current) as Json;
  const source = JSON.stringify(merge(base, doc ?? {}));
  return detectNoop && source === JSON.stringify(base) ? { kind: 'noop' } : { kind: 'write', source };
}
