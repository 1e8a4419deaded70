import { describe, expect, it } from 'vitest';
import { maxDeltaSeconds, parseCacheControl, parseDeltaSeconds, secondsOf } from './cache-control.ts';

describe('RFC 9111 section 5.2: directives', () => {
  it.each([
    ['max-age=60, public', { 'max-age': '60', public: true }],
    ['MaX-aGe=60', { 'max-age': '60' }],
    ['max-age="60"', { 'max-age': '60' }],
    ['max-age=1, max-age=2', { 'max-age': '1' }],
    ['no-cache="a, b", x', { 'no-cache': 'a, b', x: true }],
    ['extension="max-age=3600", max-age=1', { extension: 'max-age=3600', 'max-age': '1' }],
    ['max-age =60', {}],
    [',,public,', { public: true }],
  ])('%j', (value, directives) => {
    expect(Object.fromEntries(parseCacheControl(value))).toEqual(directives);
  });
});

describe('RFC 9111 section 1.2.2: delta-seconds', () => {
  it.each([
    ['0', 0],
    ['003600', 3600],
    ['99999999999', maxDeltaSeconds],
    ['-1', undefined],
    ['1.0', undefined],
    ["'60'", undefined],
    ['60a', undefined],
    ['', undefined],
  ])('%j is %j', (text, seconds) => {
    expect(parseDeltaSeconds(text)).toBe(seconds);
  });

  it('an argument that is no number counts as 0: stale', () => {
    expect(secondsOf(parseCacheControl('max-age=60a'), 'max-age')).toBe(0);
    expect(secondsOf(parseCacheControl('max-age'), 'max-age')).toBe(0);
    expect(secondsOf(parseCacheControl('public'), 'max-age')).toBeUndefined();
  });
});
