import { parseDeltaSeconds } from '../policy/cache-control.ts';
import { contentClass, policyFor } from '../policy/content-policy.ts';
import { fieldNames, fieldValue, firstLine, type RawFields, withoutFields } from '../policy/fields.ts';
import { freshnessLifetime, initialAge, type Lifetime } from '../policy/freshness.ts';
import { sameOriginKey } from '../policy/invalidation.ts';
import { parseContentRange } from '../policy/ranges.ts';
import { type ResponseDirectives, responseDirectives } from '../policy/response-directives.ts';
import { postStorability, storability, type Storability } from '../policy/storability.ts';
import type { StoredPart, StoredResponse } from '../policy/stored-response.ts';
import { selectingFields, varyNames } from '../policy/vary.ts';
import type { EdgeConfig } from './edge-config.ts';
import type { EdgeRequest } from './edge-request.ts';

/** The head of an origin's response, without connection fields; times in ms. */
export interface OriginHead {
  readonly status: number;
  readonly reason: string;
  readonly fields: RawFields;
  readonly requestTime: number;
  readonly responseTime: number;
}

/** What may become of a response, known once its head is. */
export interface StoragePlan {
  readonly directives: ResponseDirectives;
  readonly storability: Storability;
  /** Largest body to keep; 0 when it is not storable. */
  readonly limitBytes: number;
  readonly defaultSeconds: number | undefined;
  /** May requests that waited for this response have it too? */
  readonly shareable: boolean;
}

const no = (reason: string): Storability => ({ store: false, reason });

function methodStorability(request: EdgeRequest, head: OriginHead, plan: PlanBasis): Storability {
  const response = {
    status: head.status,
    fields: head.fields,
    directives: plan.directives,
    hasDefaultTtl: plan.defaultSeconds !== undefined,
  };
  if (request.method === 'POST') {
    const location = firstLine(head.fields, 'content-location');
    const same = location !== undefined && sameOriginKey(location, request.host, request.target) === request.key;
    return same ? postStorability(response) : no('method');
  }
  if (request.hasBody) return no('request with content');
  return storability(
    { method: request.method, hasAuthorization: request.hasAuthorization, noStore: request.directives.noStore },
    response,
  );
}

interface PlanBasis {
  readonly directives: ResponseDirectives;
  readonly defaultSeconds: number | undefined;
  readonly limitBytes: number;
}

function decide(request: EdgeRequest, head: OriginHead, basis: PlanBasis): Storability {
  const storable = methodStorability(request, head, basis);
  if (!storable.store) return storable;
  if (varyNames(head.fields) === '*') return no('vary: *');
  if (head.status === 206 && (request.range === undefined || parseContentRange(contentRangeOf(head)) === undefined)) {
    return no('partial');
  }
  const length = parseDeltaSeconds(firstLine(head.fields, 'content-length') ?? '');
  return length !== undefined && length > basis.limitBytes ? no('too large') : storable;
}

const contentRangeOf = (head: OriginHead): string | undefined => firstLine(head.fields, 'content-range');

/** An answer about the origin's health, not about a client: waiting requests get it instead of asking again. */
const isSharedFailure = (head: OriginHead, directives: ResponseDirectives): boolean =>
  head.status >= 500 &&
  !directives.isPrivate &&
  !directives.noStore &&
  varyNames(head.fields) !== '*' &&
  !fieldNames(head.fields).has('set-cookie');

/** Decides whether a response is kept, and how much of it. */
export function planStorage(request: EdgeRequest, head: OriginHead, config: EdgeConfig): StoragePlan {
  const directives = responseDirectives(head.fields);
  const policy = policyFor(config.policies, contentClass(fieldValue(head.fields, 'content-type')));
  const defaultSeconds = config.defaultTtl && isSilent(head, directives) ? policy.ttlSeconds : undefined;
  const basis: PlanBasis = { directives, defaultSeconds, limitBytes: policy.maxObjectBytes };
  const storable = decide(request, head, basis);
  return {
    directives,
    storability: storable,
    limitBytes: storable.store ? policy.maxObjectBytes : 0,
    defaultSeconds,
    shareable: (storable.store && request.method === 'GET') || isSharedFailure(head, directives),
  };
}

/** The origin says nothing on caching: only then does the policy table speak. */
function isSilent(head: OriginHead, directives: ResponseDirectives): boolean {
  const names = fieldNames(head.fields);
  return (
    directives.targetedBy === undefined &&
    head.status < 400 &&
    !names.has('cache-control') &&
    !names.has('expires') &&
    !names.has('set-cookie')
  );
}

/** Bytes of a part that arrived; undefined when the message contradicts its Content-Range. */
function partOf(request: EdgeRequest, head: OriginHead, bytes: number): StoredPart | undefined {
  const range = parseContentRange(contentRangeOf(head));
  if (range === undefined || request.range === undefined || bytes === 0) return undefined;
  if (bytes > range.last - range.first + 1) return undefined;
  // Fewer bytes than announced: what is there is still the start of the range (RFC 9111 section 3.3).
  return { ...range, last: range.first + bytes - 1, requested: request.range };
}

const maxTags = 64;

/** Tags for purges: Cache-Tag by comma, Surrogate-Key by space. */
function tagsOf(fields: RawFields): string[] {
  const tags = (fieldValue(fields, 'cache-tag') ?? '').split(',');
  tags.push(...(fieldValue(fields, 'surrogate-key') ?? '').split(/[\s,]+/));
  return [...new Set(tags.map((tag) => tag.trim()).filter((tag) => tag !== ''))].slice(0, maxTags);
}

const neverKept = ['age', 'content-length'];

/** The lifetime that a response has in this cache. */
export const lifetimeOf = (head: OriginHead, plan: StoragePlan): Lifetime =>
  freshnessLifetime({ ...head, directives: plan.directives }, plan.defaultSeconds);

/** Makes the stored form of a complete response; undefined when it must not be stored after all. */
export function toStored(
  request: EdgeRequest,
  head: OriginHead,
  plan: StoragePlan,
  body: Buffer,
): StoredResponse | undefined {
  const part = head.status === 206 ? partOf(request, head, body.byteLength) : undefined;
  const names = varyNames(head.fields);
  if ((head.status === 206 && part === undefined) || names === '*') return undefined;
  const fields = withoutFields(head.fields, new Set([...neverKept, ...plan.directives.unstorableFields]));
  if (head.status !== 204) fields.push('Content-Length', String(body.byteLength));
  const lifetime = lifetimeOf(head, plan);
  return {
    key: request.key,
    status: head.status,
    reason: head.reason,
    fields,
    body,
    part,
    directives: plan.directives,
    vary: selectingFields(names, request.fields),
    etag: firstLine(head.fields, 'etag'),
    lastModified: firstLine(head.fields, 'last-modified'),
    responseTime: head.responseTime,
    initialAgeSeconds: initialAge({ ...head, directives: plan.directives }),
    lifetimeSeconds: lifetime.seconds,
    lifetimeSource: lifetime.source,
    tags: tagsOf(head.fields),
    hitMemo: undefined,
  };
}
