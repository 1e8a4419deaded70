import { firstLine, type RawFields } from './fields.ts';
import { freshnessLifetime, initialAge } from './freshness.ts';
import { responseDirectives } from './response-directives.ts';
import type { StoredResponse } from './stored-response.ts';
import { selectingFields, varyNames } from './vary.ts';

/** When responses of {@link storedWith} were received (ms). */
export const receivedAt = Date.UTC(2026, 10, 24, 12);
export const dateOf = (offsetSeconds = 0): string => new Date(receivedAt + offsetSeconds * 1000).toUTCString();

/** Fields from an object, as raw pairs. */
export const fieldsOf = (fields: Readonly<Record<string, string>>): string[] => Object.entries(fields).flat();

/** A stored response with these fields, for tables of policy tests. */
export function storedWith(
  fields: Readonly<Record<string, string>>,
  overrides: Partial<StoredResponse> & { request?: RawFields } = {},
): StoredResponse {
  const raw = fieldsOf({ Date: dateOf(), ...fields });
  const timed = {
    status: overrides.status ?? 200,
    fields: raw,
    directives: responseDirectives(raw),
    requestTime: receivedAt,
    responseTime: receivedAt,
  };
  const lifetime = freshnessLifetime(timed);
  const names = varyNames(raw);
  const { request = [], ...rest } = overrides;
  return {
    key: 'example.com/',
    status: timed.status,
    reason: 'OK',
    fields: raw,
    body: Buffer.from('body'),
    part: undefined,
    directives: timed.directives,
    vary: selectingFields(names === '*' ? [] : names, request),
    etag: firstLine(raw, 'etag'),
    lastModified: firstLine(raw, 'last-modified'),
    responseTime: receivedAt,
    initialAgeSeconds: initialAge(timed),
    lifetimeSeconds: lifetime.seconds,
    lifetimeSource: lifetime.source,
    tags: [],
    hitMemo: undefined,
    ...rest,
  };
}
