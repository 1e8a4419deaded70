import { describe, expect, it } from 'vitest';
import { responseDirectives } from './response-directives.ts';
import { postStorability, type StorableRequest, storability } from './storability.ts';
import { dateOf, fieldsOf } from './testing.ts';

const plain: StorableRequest = { method: 'GET', hasAuthorization: false, noStore: false };

const reasonOf = (fields: Record<string, string>, status = 200, request: Partial<StorableRequest> = {}): string => {
  const raw = fieldsOf(fields);
  const response = { status, fields: raw, directives: responseDirectives(raw), hasDefaultTtl: false };
  const outcome = storability({ ...plain, ...request }, response);
  return outcome.store ? 'stored' : outcome.reason;
};

const fresh = { 'Cache-Control': 'max-age=60' };

describe('RFC 9111 section 3: storing responses', () => {
  it.each([
    ['explicit freshness', fresh, 'stored'],
    ['Expires', { Expires: dateOf(60) }, 'stored'],
    ['a validator on a cacheable status', { ETag: '"1"' }, 'stored'],
    ['nothing of use', {}, 'neither lifetime nor validator'],
    ['no-store', { 'Cache-Control': 'no-store, max-age=60' }, 'no-store'],
    ['private', { 'Cache-Control': 'private, max-age=60' }, 'private'],
    ['private for one field only', { 'Cache-Control': 'private="x-user", max-age=60' }, 'stored'],
    ['no-cache: stored, and validated at use', { 'Cache-Control': 'no-cache', ETag: '"1"' }, 'stored'],
    ['a cookie with explicit freshness', { ...fresh, 'Set-Cookie': 'a=b' }, 'stored'],
    ['a cookie without', { ETag: '"1"', 'Set-Cookie': 'a=b' }, 'set-cookie'],
    ['CDN no-store beside fresh Cache-Control', { ...fresh, 'CDN-Cache-Control': 'no-store' }, 'no-store'],
    ['CDN fresh beside no-store', { 'Cache-Control': 'no-store', 'CDN-Cache-Control': 'max-age=60' }, 'stored'],
  ])('%s', (_, fields, reason) => {
    expect(reasonOf(fields as Record<string, string>)).toBe(reason);
  });

  it.each([
    [200, fresh, 'stored'],
    [599, fresh, 'stored'],
    [500, fresh, 'stored'],
    [500, { ETag: '"1"' }, 'no freshness'],
    [304, fresh, 'status'],
    [416, fresh, 'status'],
  ])('status %i with %j', (status, fields, reason) => {
    expect(reasonOf(fields as Record<string, string>, status)).toBe(reason);
  });

  it('a request with no-store, and other methods', () => {
    expect(reasonOf(fresh, 200, { noStore: true })).toBe('request no-store');
    expect(reasonOf(fresh, 200, { method: 'DELETE' })).toBe('method');
  });
});

describe('RFC 9111 section 3.5: requests with Authorization', () => {
  it.each([
    ['max-age=60', 'authorization'],
    ['max-age=60, public', 'stored'],
    ['max-age=60, must-revalidate', 'stored'],
    ['s-maxage=60', 'stored'],
  ])('%s', (cacheControl, reason) => {
    expect(reasonOf({ 'Cache-Control': cacheControl }, 200, { hasAuthorization: true })).toBe(reason);
  });
});

describe('RFC 9111 section 5.2.2.3: must-understand', () => {
  it('outranks no-store where the status is understood', () => {
    const fields = { 'Cache-Control': 'max-age=60, no-store, must-understand' };
    expect(reasonOf(fields, 200)).toBe('stored');
    expect(reasonOf(fields, 599)).toBe('status not understood');
  });
});

describe('RFC 9110 section 9.3.3: responses to POST', () => {
  it('are stored with explicit freshness only', () => {
    const of = (fields: Record<string, string>) =>
      postStorability({
        status: 200,
        fields: fieldsOf(fields),
        directives: responseDirectives(fieldsOf(fields)),
        hasDefaultTtl: false,
      }).store;
    expect(of(fresh)).toBe(true);
    expect(of({ ETag: '"1"' })).toBe(false);
  });
});
