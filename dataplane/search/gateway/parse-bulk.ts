import { z } from 'zod';
import { badRequest } from '../search-error.ts';
import { newId, type WriteRequest } from './document-writer.ts';

/** Operations in one `_bulk`. */
export const maxBulkItems = 100_000;

const metadata = z.strictObject({
  _index: z.string().min(1).optional(),
  _id: z.union([z.string(), z.number().transform(String)]).nullish(),
  if_seq_no: z.number().int().nonnegative().optional(),
  if_primary_term: z.number().int().nonnegative().optional(),
  version: z.number().int().nonnegative().optional(),
  version_type: z.enum(['internal', 'external']).optional(),
  require_alias: z.literal(false).optional(),
  retry_on_conflict: z.number().optional(),
  _source: z.unknown().optional(),
});

const actions = ['index', 'create', 'update', 'delete'] as const;
export type BulkAction = (typeof actions)[number];

/** One operation of a bulk request; `request` is null when it cannot be carried out, `reason` says why. */
export interface BulkItem {
  readonly action: BulkAction;
  readonly index: string;
  readonly id: string | null;
  readonly request: WriteRequest | null;
  readonly reason: string | null;
}

const malformed = (line: number, what: string): Error =>
  badRequest('illegal_argument_exception', `Malformed action/metadata line [${line}], ${what}`);

function parseAction(text: string, line: number): { action: BulkAction; meta: unknown } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw badRequest('json_parse_exception', `action/metadata line [${line}]: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw malformed(line, 'expected an object');
  const entries = Object.entries(json);
  const [entry] = entries;
  if (entries.length !== 1 || entry === undefined) throw malformed(line, 'expected one action');
  if (!(actions as readonly string[]).includes(entry[0])) {
    throw malformed(
      line,
      `expected field [create], [delete], [index] or [update] but found [${entry[0].slice(0, 50)}]`,
    );
  }
  return { action: entry[0] as BulkAction, meta: entry[1] };
}

type Metadata = z.infer<typeof metadata>;

/** Why an operation cannot be carried out; null: it can. */
function problemOf(action: BulkAction, index: string, { _id }: Metadata): string | null {
  if (index === '') return 'Validation Failed: 1: index is missing;';
  if (_id === '') return 'if _id is specified it must not be empty';
  const needsId = action === 'delete' || action === 'update';
  return needsId && (_id === undefined || _id === null) ? 'Validation Failed: 1: an id must be provided;' : null;
}

function conditionsOf({
  if_seq_no: ifSeqNo,
  if_primary_term: term,
  version,
  version_type: type,
}: Metadata): Partial<WriteRequest> {
  return {
    ...(ifSeqNo !== undefined && { ifSeqNo, ifPrimaryTerm: term ?? 0 }),
    ...(version !== undefined && type === 'external' && { externalVersion: version }),
  };
}

const withSource = (source: string | undefined): Partial<WriteRequest> => (source === undefined ? {} : { source });

function itemOf(action: BulkAction, meta: unknown, source: string | undefined, defaultIndex: string | null): BulkItem {
  const parsed = metadata.safeParse(meta ?? {});
  if (!parsed.success) {
    const reason = parsed.error.issues[0]?.message ?? 'malformed metadata';
    return { action, index: defaultIndex ?? '', id: null, request: null, reason };
  }
  const index = parsed.data._index ?? defaultIndex ?? '';
  const reason = problemOf(action, index, parsed.data);
  if (reason !== null) return { action, index, id: null, request: null, reason };
  const id = (parsed.data._id ?? newId()).toWellFormed();
  const request = { kind: action, id, ...withSource(source), ...conditionsOf(parsed.data) };
  return { action, index, id, request, reason };
}

/**
 * Reads the lines of a `_bulk` request. What is wrong with a single operation is in its item; a text that cannot be cut
 * into operations is refused whole: bad-request.
 */
export function parseBulk(text: string, defaultIndex: string | null): BulkItem[] {
  const items: BulkItem[] = [];
  let at = 0;
  let line = 0;
  const nextLine = (): string | null => {
    if (at >= text.length) return null;
    const end = text.indexOf('\n', at);
    const found = text.slice(at, end < 0 ? text.length : end);
    at = end < 0 ? text.length : end + 1;
    line++;
    return found;
  };
  for (let next = nextLine(); next !== null; next = nextLine()) {
    if (next.trim() === '') continue;
    if (items.length >= maxBulkItems)
      throw badRequest('illegal_argument_exception', `more than ${maxBulkItems} operations in one bulk request`);
    const { action, meta } = parseAction(next, line);
    const source = action === 'delete' ? undefined : nextLine();
    if (source === null)
      throw badRequest(
        'illegal_argument_exception',
        `The bulk request must have a source for the action of line [${line}]`,
      );
    items.push(itemOf(action, meta, source, defaultIndex));
  }
  if (items.length === 0)
    throw badRequest('action_request_validation_exception', 'Validation Failed: 1: no requests added;');
  return items;
}
