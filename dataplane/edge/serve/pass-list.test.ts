import { describe, expect, it } from 'vitest';
import { PassList } from './pass-list.ts';

describe('keys that are passed on', () => {
  it('are remembered for a minute, and not without bound', () => {
    const passes = new PassList();
    passes.add('a', 0);
    expect([passes.has('a', 59_999), passes.has('a', 60_000), passes.has('b', 0)]).toEqual([true, false, false]);
    passes.add('first', 0);
    for (let i = 0; i < 8192; i++) passes.add(`k${i}`, 0);
    expect(passes.has('first', 0)).toBe(false);
  });
});
