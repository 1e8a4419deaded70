import { firstLine } from '../policy/fields.ts';
import { initialAge } from '../policy/freshness.ts';
import type { StoredResponse } from '../policy/stored-response.ts';
import { updatedFields } from '../policy/validation.ts';
import type { EdgeConfig } from './edge-config.ts';
import type { EdgeRequest } from './edge-request.ts';
import { lifetimeOf, type OriginHead, planStorage, toStored } from './storage-plan.ts';

/**
 * The stored response brought up to date by a 304, or by a 200 to HEAD (RFC 9111 sections 4.3.4 and 4.3.5): its fields
 * updated, its freshness counted from the newer response.
 */
export function freshen(
  stored: StoredResponse,
  request: EdgeRequest,
  newer: OriginHead,
  config: EdgeConfig,
): StoredResponse {
  const fields = updatedFields(stored.fields, newer.fields);
  const head: OriginHead = { ...newer, status: stored.status, reason: stored.reason, fields };
  const plan = planStorage({ ...request, method: 'GET' }, head, config);
  const timed = { ...newer, directives: plan.directives };
  const lifetime = lifetimeOf(head, plan);
  const made = toStored(request, head, plan, stored.body);
  return {
    ...(made ?? stored),
    fields: made?.fields ?? fields,
    directives: plan.directives,
    part: stored.part,
    vary: stored.vary,
    etag: firstLine(fields, 'etag'),
    lastModified: firstLine(fields, 'last-modified'),
    responseTime: newer.responseTime,
    initialAgeSeconds: initialAge(timed),
    lifetimeSeconds: lifetime.seconds,
    lifetimeSource: lifetime.source,
    hitMemo: undefined,
  };
}
