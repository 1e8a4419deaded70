import { parseEntityTags, weaklyEqual } from './entity-tag.ts';
import { firstLine } from './fields.ts';
import { parseHttpDate } from './http-date.ts';
import type { StoredResponse } from './stored-response.ts';

/** The conditional fields of a request that a cache evaluates (RFC 9111 section 4.3.2). */
export interface Preconditions {
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
}

/** What of a response preconditions are compared with. */
export type Representation = Pick<StoredResponse, 'status' | 'fields' | 'etag' | 'lastModified' | 'responseTime'>;

/** RFC 9110 section 13.1.2. */
function matchesTag(list: string, etag: string | undefined): boolean {
  if (list.trim() === '*') return true;
  return etag !== undefined && parseEntityTags(list).some((tag) => weaklyEqual(tag, etag));
}

/** RFC 9110 section 13.1.3; without Last-Modified the Date takes its place (RFC 9111 section 4.3.2). */
function unmodifiedSince(value: string, stored: Representation): boolean {
  const since = parseHttpDate(value, stored.responseTime);
  if (since === undefined) return false;
  const line = stored.lastModified ?? firstLine(stored.fields, 'date');
  const modified = line === undefined ? stored.responseTime : parseHttpDate(line, stored.responseTime);
  return modified !== undefined && modified <= since;
}

/** True when the client holds this response already and a 304 will do. If-None-Match outranks If-Modified-Since. */
export function isNotModified(request: Preconditions, stored: Representation): boolean {
  if (stored.status !== 200) return false;
  if (request.ifNoneMatch !== undefined) return matchesTag(request.ifNoneMatch, stored.etag);
  return request.ifModifiedSince !== undefined && unmodifiedSince(request.ifModifiedSince, stored);
}

/** Fields that a 304 repeats (RFC 9110 section 15.4.5), and those about the cache that made it. */
export const notModifiedFields: ReadonlySet<string> = new Set([
  'cache-control',
  'content-location',
  'date',
  'etag',
  'expires',
  'vary',
  'last-modified',
  'cdn-cache-control',
  'set-cookie',
]);
