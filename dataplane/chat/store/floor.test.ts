import { describe, expect, it } from 'vitest';
import { epochOf } from './epoch.ts';
import { parseFloor } from './floor.ts';

describe('a floor', () => {
  it.each([
    ['{"epoch":"e","seq":7}', { epoch: 'e', seq: 7 }],
    ['{"epoch":"e"}', null],
    ['{"epoch":"e","seq":-1}', null],
    ['', null],
    ['null', null],
  ])('%s is read as %j', (text, floor) => {
    expect(parseFloor(text)).toEqual(floor);
  });
});

describe('an epoch', () => {
  it('differs between streams that were made at different times, and is short', () => {
    const one = epochOf('2026-01-01T00:00:00.000000001Z');
    expect(one).not.toBe(epochOf('2026-01-01T00:00:00.000000002Z'));
    expect(one).toBe(epochOf('2026-01-01T00:00:00.000000001Z'));
    expect(one).toMatch(/^[\w-]{8}$/);
  });
});
