import { describe, expect, it } from 'vitest';
import { noDirectives, requestDirectives } from './request-directives.ts';
import { decideReuse, mayServeOnError } from './reuse.ts';
import { receivedAt, storedWith } from './testing.ts';

const decide = (cacheControl: string, afterSeconds: number, request?: string): string => {
  const stored = storedWith({ 'Cache-Control': cacheControl });
  const decision = decideReuse(stored, requestDirectives(request, undefined), receivedAt + afterSeconds * 1000);
  if (decision.kind === 'validate') return `validate: ${decision.reason}`;
  return decision.kind === 'serve' && decision.stale ? 'serve stale' : decision.kind;
};

describe('RFC 9111 section 4: constructing responses from caches', () => {
  it.each([
    ['max-age=60', 59, 'serve'],
    ['max-age=60', 60, 'validate: stale'],
    ['max-age=60, no-cache', 1, 'validate: stale'],
    ['max-age=60, no-cache="set-cookie"', 1, 'serve'],
    ['max-age=0', 0, 'validate: stale'],
    ['max-age=60, must-revalidate', 59, 'serve'],
  ])('%s after %i s: %s', (cacheControl, after, decision) => {
    expect(decide(cacheControl, after)).toBe(decision);
  });

  it('validates whatever was received before a general purge', () => {
    const stored = storedWith({ 'Cache-Control': 'max-age=60' });
    expect(decideReuse(stored, noDirectives, receivedAt + 1, receivedAt + 1).kind).toBe('validate');
    expect(decideReuse(stored, noDirectives, receivedAt + 1, receivedAt).kind).toBe('serve');
  });
});

describe('RFC 9111 section 5.2.1: request directives', () => {
  it.each([
    ['no-cache', 1, 'validate: request'],
    ['max-age=0', 1, 'validate: request'],
    ['max-age=5', 4, 'serve'],
    ['max-age=5', 6, 'validate: request'],
    ['min-fresh=50', 5, 'serve'],
    ['min-fresh=50', 15, 'validate: request'],
    ['max-stale=10', 65, 'serve stale'],
    ['max-stale=10', 75, 'validate: stale'],
    ['max-stale', 7500, 'serve stale'],
  ])('%s after %i s: %s', (request, after, decision) => {
    expect(decide('max-age=60', after, request)).toBe(decision);
  });

  it('max-stale does not outrank must-revalidate', () => {
    expect(decide('max-age=60, must-revalidate', 61, 'max-stale=10')).toBe('validate: stale');
  });

  it('Pragma counts only without Cache-Control (section 5.4)', () => {
    expect(requestDirectives(undefined, 'no-cache').noCache).toBe(true);
    expect(requestDirectives('max-age=5', 'no-cache').noCache).toBe(false);
  });
});

describe('RFC 5861 section 3: stale-while-revalidate', () => {
  it.each([
    ['max-age=10, stale-while-revalidate=20', 9, 'serve'],
    ['max-age=10, stale-while-revalidate=20', 29, 'serve-and-revalidate'],
    ['max-age=10, stale-while-revalidate=20', 30, 'validate: stale'],
    ['max-age=10, stale-while-revalidate=20, must-revalidate', 29, 'validate: stale'],
    ['s-maxage=10, stale-while-revalidate=20', 29, 'validate: stale'],
  ])('%s after %i s: %s', (cacheControl, after, decision) => {
    expect(decide(cacheControl, after)).toBe(decision);
  });
});

describe('RFC 5861 section 4 and RFC 9111 section 4.2.4: stale on error', () => {
  const may = (cacheControl: string, after: number, failure: 'unreachable' | 'error-status', request?: string) =>
    mayServeOnError(storedWith({ 'Cache-Control': cacheControl }), requestDirectives(request, undefined), failure, {
      now: receivedAt + after * 1000,
      graceSeconds: 100,
    });

  it.each([
    ['max-age=10', 50, 'unreachable', true],
    ['max-age=10', 150, 'unreachable', false],
    ['max-age=10', 50, 'error-status', false],
    ['max-age=10, stale-if-error=60', 50, 'error-status', true],
    ['max-age=10, stale-if-error=60', 71, 'error-status', false],
    ['max-age=10, stale-if-error=0', 11, 'unreachable', false],
    ['max-age=10, must-revalidate', 11, 'unreachable', false],
    ['max-age=10, proxy-revalidate', 11, 'unreachable', false],
    ['s-maxage=10', 11, 'unreachable', false],
    ['no-cache', 1, 'unreachable', false],
  ] as const)('%s after %i s, %s: %s', (cacheControl, after, failure, allowed) => {
    expect(may(cacheControl, after, failure)).toBe(allowed);
  });

  it('the request may allow it too', () => {
    expect(may('max-age=10', 50, 'error-status', 'stale-if-error=60')).toBe(true);
  });
});
