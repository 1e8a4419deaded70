import type { ResponseDirectives } from './response-directives.ts';
import { allowsHeuristic } from './freshness.ts';
import { type RawFields, fieldNames } from './fields.ts';

/** What of a request decides whether its response may be stored. */
export interface StorableRequest {
  readonly method: string;
  readonly hasAuthorization: boolean;
  readonly noStore: boolean;
}

export interface StorableResponse {
  readonly status: number;
  readonly fields: RawFields;
  readonly directives: ResponseDirectives;
  /** The operator gives such responses a lifetime when the origin does not. */
  readonly hasDefaultTtl: boolean;
}

export type Storability = { readonly store: true } | { readonly store: false; readonly reason: string };

const yes: Storability = { store: true };
const no = (reason: string): Storability => ({ store: false, reason });

/** Status codes whose caching rules this cache knows, for must-understand (RFC 9111 section 5.2.2.3). */
const understood = new Set([
  200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
  410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 426, 500, 501, 502, 503, 504, 505,
]);

/** Status codes that are about one request and never stored. */
const neverStored = new Set([304, 412, 416, 431]);

type Check = (request: StorableRequest, response: StorableResponse) => string | undefined;

const hasExplicitFreshness = ({ directives, fields }: StorableResponse): boolean =>
  directives.maxAge !== undefined ||
  directives.sharedMaxAge !== undefined ||
  (directives.targetedBy === undefined && fieldNames(fields).has('expires'));

/** RFC 9111 section 3, one rule a line; the first that fails gives the reason. */
const checks: readonly Check[] = [
  (request) => (request.method === 'GET' ? undefined : 'method'),
  (_, response) => (response.status < 200 || neverStored.has(response.status) ? 'status' : undefined),
  (_, { directives, status }) =>
    directives.mustUnderstand && !understood.has(status) ? 'status not understood' : undefined,
  // RFC 9111 section 5.2.2.3: who understands the status ignores no-store beside must-understand.
  (_, { directives }) => (directives.noStore && !directives.mustUnderstand ? 'no-store' : undefined),
  (_, { directives }) => (directives.isPrivate ? 'private' : undefined),
  (request) => (request.noStore ? 'request no-store' : undefined),
  // RFC 9111 section 3.5.
  (request, { directives }) =>
    request.hasAuthorization &&
    !(directives.isPublic || directives.mustRevalidate || directives.sharedMaxAge !== undefined)
      ? 'authorization'
      : undefined,
  (_, response) => {
    if (hasExplicitFreshness(response) || allowsHeuristic(response.status, response.directives)) return undefined;
    return 'no freshness';
  },
  // A cookie that the origin did not mean to share goes to one client only.
  (_, response) =>
    fieldNames(response.fields).has('set-cookie') && !hasExplicitFreshness(response) ? 'set-cookie' : undefined,
  // Without a lifetime and without a validator it could never be used again.
  (_, response) => (isOfUse(response) ? undefined : 'neither lifetime nor validator'),
];

function isOfUse(response: StorableResponse): boolean {
  if (hasExplicitFreshness(response) || response.hasDefaultTtl) return true;
  const names = fieldNames(response.fields);
  return names.has('etag') || names.has('last-modified');
}

/** May this shared cache store the response (RFC 9111 section 3)? Says why not. */
export function storability(request: StorableRequest, response: StorableResponse): Storability {
  for (const check of checks) {
    const reason = check(request, response);
    if (reason !== undefined) return no(reason);
  }
  return yes;
}

/**
 * A response to POST may be stored for later GETs when it has explicit freshness and a Content-Location equal to the
 * target (RFC 9110 section 9.3.3).
 */
export const postStorability = (response: StorableResponse): Storability =>
  hasExplicitFreshness(response) && response.status === 200
    ? storability({ method: 'GET', hasAuthorization: false, noStore: false }, response)
    : no('method');
