import type { IncomingMessage } from 'node:http';
import type { RawFields } from '../policy/fields.ts';
import { noDirectives, requestDirectives, type RequestDirectives } from '../policy/request-directives.ts';
import { cacheKey } from '../policy/stored-response.ts';

/** What an edge needs to know of a request, read in one pass over its fields. */
export interface EdgeRequest {
  readonly method: string;
  readonly host: string;
  /** Path and query, as sent. */
  readonly target: string;
  readonly key: string;
  readonly fields: RawFields;
  readonly hasBody: boolean;
  readonly hasAuthorization: boolean;
  /** If-Match or If-Unmodified-Since: only the origin evaluates them (RFC 9111 section 4.3.2). */
  readonly hasOriginPreconditions: boolean;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly directives: RequestDirectives;
}

/** Why a request is refused. */
export interface BadRequest {
  readonly refused: string;
  readonly status: 400 | 414 | 431;
}

interface Draft {
  host: string | undefined;
  hosts: number;
  hasBody: boolean;
  hasAuthorization: boolean;
  hasOriginPreconditions: boolean;
  range: string | undefined;
  ifRange: string | undefined;
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
  cacheControl: string | undefined;
  pragma: string | undefined;
}

const join = (before: string | undefined, value: string): string =>
  before === undefined ? value : `${before}, ${value}`;

const readers: ReadonlyMap<string, (draft: Draft, value: string) => void> = new Map([
  [
    'host',
    (draft: Draft, value: string) => {
      draft.host = value;
      draft.hosts++;
    },
  ],
  ['content-length', (draft, value) => void (draft.hasBody ||= value !== '0')],
  ['transfer-encoding', (draft) => void (draft.hasBody = true)],
  ['authorization', (draft) => void (draft.hasAuthorization = true)],
  ['if-match', (draft) => void (draft.hasOriginPreconditions = true)],
  ['if-unmodified-since', (draft) => void (draft.hasOriginPreconditions = true)],
  ['range', (draft, value) => void (draft.range = join(draft.range, value))],
  ['if-range', (draft, value) => void (draft.ifRange = value)],
  ['if-none-match', (draft, value) => void (draft.ifNoneMatch = join(draft.ifNoneMatch, value))],
  ['if-modified-since', (draft, value) => void (draft.ifModifiedSince = value)],
  ['cache-control', (draft, value) => void (draft.cacheControl = join(draft.cacheControl, value))],
  ['pragma', (draft, value) => void (draft.pragma = join(draft.pragma, value))],
]);

function readFields(fields: RawFields): Draft {
  const draft: Draft = {
    host: undefined,
    hosts: 0,
    hasBody: false,
    hasAuthorization: false,
    hasOriginPreconditions: false,
    range: undefined,
    ifRange: undefined,
    ifNoneMatch: undefined,
    ifModifiedSince: undefined,
    cacheControl: undefined,
    pragma: undefined,
  };
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string;
    // Every field that matters has between 4 and 19 characters.
    if (name.length > 19 || name.length < 4) continue;
    readers.get(name.toLowerCase())?.(draft, fields[i + 1] as string);
  }
  return draft;
}

const hostPattern = /^(?:[a-z0-9](?:[-a-z0-9._]*[a-z0-9.])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
const knownHosts = new Set<string>();

/** Host names are few and requests are many: each is checked once, within bounds. */
function isHost(host: string): boolean {
  if (knownHosts.has(host)) return true;
  if (!hostPattern.test(host)) return false;
  if (knownHosts.size < 1000) knownHosts.add(host);
  return true;
}

/** Host and target: the absolute form of a target outranks Host (RFC 9112 section 3.2.2). */
function locate(url: string, host: string | undefined): { host: string; target: string } | undefined {
  if (url.startsWith('/')) return host === undefined ? undefined : { host, target: url };
  if (url === '*' && host !== undefined) return { host, target: url };
  const absolute = /^http:\/\//i.test(url) ? URL.parse(url) : null;
  if (absolute === null || absolute.username !== '') return undefined;
  return { host: absolute.host, target: `${absolute.pathname}${absolute.search}` };
}

/** Longest request target that is served. */
const maxTargetLength = 8192;

// RFC 9112 section 3.2: a target has neither white space, control characters nor a fragment.
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const badTarget = /[\u0000-\u0020#\u007f]/;

/** Most fields of one request. */
const maxFields = 256;

const fault = (refused: string, status: BadRequest['status'] = 400): BadRequest => ({ refused, status });

function faultOf(draft: Draft, url: string): BadRequest | undefined {
  if (draft.hosts > 1) return fault('more than one Host field');
  if (draft.host !== undefined && !isHost(draft.host)) return fault('Host is not a host name');
  if (url.length > maxTargetLength) return fault(`the target exceeds ${maxTargetLength} characters`, 414);
  return badTarget.test(url) ? fault('the target holds a character that is not allowed') : undefined;
}

/** Reads a request; a {@link BadRequest} when it must not be served. */
export function readRequest(message: IncomingMessage): EdgeRequest | BadRequest {
  const fields = message.rawHeaders;
  const url = message.url ?? '';
  if (fields.length > 2 * maxFields) return fault(`more than ${maxFields} fields`, 431);
  const draft = readFields(fields);
  const wrong = faultOf(draft, url);
  if (wrong !== undefined) return wrong;
  const place = locate(url, draft.host);
  if (place === undefined) return fault('the target names no resource of this server');
  const asks = draft.cacheControl !== undefined || draft.pragma !== undefined;
  return {
    method: message.method ?? 'GET',
    host: place.host,
    target: place.target,
    key: cacheKey(place.host, place.target),
    fields,
    hasBody: draft.hasBody,
    hasAuthorization: draft.hasAuthorization,
    hasOriginPreconditions: draft.hasOriginPreconditions,
    range: draft.range,
    ifRange: draft.ifRange,
    ifNoneMatch: draft.ifNoneMatch,
    ifModifiedSince: draft.ifModifiedSince,
    directives: asks ? requestDirectives(draft.cacheControl, draft.pragma) : noDirectives,
  };
}
