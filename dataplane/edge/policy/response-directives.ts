import { type Directives, maxDeltaSeconds, parseCacheControl, secondsOf } from './cache-control.ts';
import { fieldValue, type RawFields, splitList } from './fields.ts';
import { type BareItem, parseDictionary } from './structured-fields.ts';

/** What a response asks of this cache, from the field that counts for it. Durations in seconds. */
export interface ResponseDirectives {
  /** The targeted field (RFC 9213) that replaced Cache-Control and Expires; undefined when none did. */
  readonly targetedBy: string | undefined;
  readonly noStore: boolean;
  readonly noCache: boolean;
  readonly isPrivate: boolean;
  /** Fields named by `no-cache="…"` and `private="…"`: the rest of the response may be stored. */
  readonly unstorableFields: readonly string[];
  readonly isPublic: boolean;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly mustUnderstand: boolean;
  readonly maxAge: number | undefined;
  readonly sharedMaxAge: number | undefined;
  readonly staleWhileRevalidate: number | undefined;
  readonly staleIfError: number | undefined;
}

/** Targeted fields that this cache obeys, the most specific first (RFC 9213 section 2.2). */
const targetedFields = ['cdn-cache-control'];

const numeric = new Set(['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error']);

/** Undefined when the member cannot be a cache directive of that name. */
function directiveArgument(name: string, item: BareItem): string | boolean | undefined {
  if (numeric.has(name)) {
    return item.type === 'integer' && item.value >= 0 ? String(Math.min(item.value, maxDeltaSeconds)) : undefined;
  }
  if (item.type === 'inner-list') return true;
  return typeof item.value === 'boolean' ? item.value : String(item.value);
}

/**
 * RFC 9213 section 2.1: a targeted field is a dictionary; one that fails to parse, is empty, or carries a directive of
 * the wrong type is ignored.
 */
function targetedDirectives(value: string): Directives | undefined {
  const members = parseDictionary(value);
  if (members === undefined || members.size === 0) return undefined;
  const directives = new Map<string, string | true>();
  for (const [name, item] of members) {
    const argument = directiveArgument(name, item);
    if (argument === undefined) return undefined;
    if (argument !== false) directives.set(name, argument);
  }
  return directives;
}

function selectDirectives(fields: RawFields): { targetedBy: string | undefined; directives: Directives } {
  for (const name of targetedFields) {
    const value = fieldValue(fields, name);
    const directives = value === undefined ? undefined : targetedDirectives(value);
    if (directives) return { targetedBy: name, directives };
  }
  return { targetedBy: undefined, directives: parseCacheControl(fieldValue(fields, 'cache-control')) };
}

const listed = (argument: string | true | undefined): string[] =>
  typeof argument === 'string' ? splitList(argument.toLowerCase()) : [];

/** Reads the directives that bind this cache: the targeted field's, else Cache-Control's. */
export function responseDirectives(fields: RawFields): ResponseDirectives {
  const { targetedBy, directives } = selectDirectives(fields);
  const noCache = directives.get('no-cache');
  const isPrivate = directives.get('private');
  const unstorableFields = [...listed(noCache), ...listed(isPrivate)];
  return {
    targetedBy,
    noStore: directives.has('no-store'),
    // RFC 9111 sections 5.2.2.4 and 5.2.2.7: with an argument they bind the named fields only.
    noCache: noCache === true || (noCache !== undefined && listed(noCache).length === 0),
    isPrivate: isPrivate === true || (isPrivate !== undefined && listed(isPrivate).length === 0),
    unstorableFields,
    isPublic: directives.has('public'),
    mustRevalidate: directives.has('must-revalidate'),
    proxyRevalidate: directives.has('proxy-revalidate'),
    mustUnderstand: directives.has('must-understand'),
    maxAge: secondsOf(directives, 'max-age'),
    sharedMaxAge: secondsOf(directives, 's-maxage'),
    staleWhileRevalidate: secondsOf(directives, 'stale-while-revalidate'),
    staleIfError: secondsOf(directives, 'stale-if-error'),
  };
}

/** True when the response may never be served stale (RFC 9111 section 4.2.4); s-maxage implies proxy-revalidate. */
export const forbidsStale = (directives: ResponseDirectives): boolean =>
  directives.mustRevalidate ||
  directives.proxyRevalidate ||
  directives.noCache ||
  directives.sharedMaxAge !== undefined;
