import { describe, expect, it } from 'vitest';
import { freshnessLifetime, initialAge } from './freshness.ts';
import { responseDirectives } from './response-directives.ts';
import { dateOf, fieldsOf, receivedAt } from './testing.ts';

const day = 24 * 3600;

const lifetime = (fields: Record<string, string>, status = 200, defaultSeconds?: number) => {
  const raw = fieldsOf({ Date: dateOf(), ...fields });
  const directives = responseDirectives(raw);
  return freshnessLifetime(
    { status, fields: raw, directives, requestTime: receivedAt, responseTime: receivedAt },
    defaultSeconds,
  );
};

describe('RFC 9111 section 4.2.1: freshness lifetime', () => {
  it.each([
    ['s-maxage before all', { 'Cache-Control': 's-maxage=1, max-age=2', Expires: dateOf(3) }, 1, 's-maxage'],
    ['max-age before Expires', { 'Cache-Control': 'max-age=2', Expires: dateOf(3) }, 2, 'max-age'],
    ['Expires minus Date', { Expires: dateOf(3) }, 3, 'expires'],
    ['Expires before Date', { Expires: dateOf(-3) }, 0, 'expires'],
    ['an Expires that is no date', { Expires: '0' }, 0, 'expires'],
    ['a Date that is none: time of receipt', { Date: 'foo', Expires: dateOf(10) }, 10, 'expires'],
    ['nothing said', {}, 0, 'none'],
  ])('%s', (_, fields, seconds, source) => {
    expect(lifetime(fields as Record<string, string>)).toEqual({ seconds, source });
  });

  it('two different Expires count as stale', () => {
    const raw = [...fieldsOf({ Date: dateOf(), Expires: dateOf(60) }), 'Expires', dateOf(90)];
    const timed = {
      status: 200,
      fields: raw,
      directives: responseDirectives(raw),
      requestTime: 0,
      responseTime: receivedAt,
    };
    expect(freshnessLifetime(timed).seconds).toBe(0);
  });
});

describe('RFC 9111 section 4.2.2: heuristic freshness', () => {
  it.each([
    [200, {}, 0.1 * day],
    [404, {}, 0.1 * day],
    [201, {}, 0],
    [503, {}, 0],
    [599, {}, 0],
    [599, { 'Cache-Control': 'public' }, 0.1 * day],
  ])('%i %j, modified a day ago, is fresh for %d s', (status, fields, seconds) => {
    expect(
      lifetime({ 'Last-Modified': dateOf(-day), ...fields } as Record<string, string>, status).seconds,
    ).toBeCloseTo(seconds);
  });

  it('never exceeds a week', () => {
    expect(lifetime({ 'Last-Modified': dateOf(-10_000 * day) }).seconds).toBe(7 * day);
  });
});

describe('default TTL of the policy table', () => {
  it('applies where the origin says nothing, and nowhere else', () => {
    expect(lifetime({}, 200, 60)).toEqual({ seconds: 60, source: 'policy' });
    expect(lifetime({ 'Cache-Control': 'max-age=5' }, 200, 60)).toEqual({ seconds: 5, source: 'max-age' });
    expect(lifetime({ Expires: dateOf(7) }, 200, 60)).toEqual({ seconds: 7, source: 'expires' });
    expect(lifetime({}, 503, 60).seconds).toBe(0);
  });
});

describe('RFC 9213: CDN-Cache-Control', () => {
  it.each([
    ['outranks Cache-Control', { 'CDN-Cache-Control': 'max-age=9', 'Cache-Control': 'max-age=1' }, 9],
    ['outranks Expires', { 'CDN-Cache-Control': 'max-age=9', Expires: dateOf(-1) }, 9],
    ['without a lifetime leaves none', { 'CDN-Cache-Control': 'public', 'Cache-Control': 'max-age=1' }, 0],
    ['that is no dictionary is ignored', { 'CDN-Cache-Control': 'max-age=9, &&', 'Cache-Control': 'max-age=1' }, 1],
    ['of a wrong type is ignored', { 'CDN-Cache-Control': 'max-age="9"', 'Cache-Control': 'max-age=1' }, 1],
    ['with upper case is ignored', { 'CDN-Cache-Control': 'Max-Age=9', 'Cache-Control': 'max-age=1' }, 1],
    ['that is empty is ignored', { 'CDN-Cache-Control': '', 'Cache-Control': 'max-age=1' }, 1],
  ])('%s', (_, fields, seconds) => {
    expect(lifetime(fields as Record<string, string>).seconds).toBe(seconds);
  });
});

describe('RFC 9111 section 4.2.3: age', () => {
  const age = (fields: Record<string, string>, delayMs = 0): number => {
    const raw = fieldsOf({ Date: dateOf(), ...fields });
    const directives = responseDirectives(raw);
    return initialAge({
      status: 200,
      fields: raw,
      directives,
      requestTime: receivedAt - delayMs,
      responseTime: receivedAt,
    });
  };

  it.each([
    ['the Age field', { Age: '30' }, 0, 30],
    ['the Date, when it says more', { Age: '30', Date: dateOf(-50) }, 0, 50],
    ['a Date ahead of this clock', { Date: dateOf(50) }, 0, 0],
    ['the time that the response took', { Age: '30' }, 2000, 32],
    ['the first member', { Age: '7, 9000' }, 0, 7],
    ['nothing, when it is no number', { Age: '7.5' }, 0, 0],
    ['nothing, when it is negative', { Age: '-7' }, 0, 0],
  ])('counts %s', (_, fields, delayMs, seconds) => {
    expect(age(fields as Record<string, string>, delayMs)).toBe(seconds);
  });
});
