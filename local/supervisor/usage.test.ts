import { describe, expect, it } from 'vitest';
import { proportionalMemory, ticksOf } from './usage.ts';

describe('figures of /proc', () => {
  it('finds CPU time behind a name with spaces and brackets', () => {
    expect(ticksOf('12 (a) b (c) S 1 12 12 0 -1 4194304 100 0 0 0 70 30 0 0 20 0 1 0 5 1000 20')).toBe(100);
  });

  it('reads proportional memory, and knows when there is none', () => {
    expect(proportionalMemory('Rss:  90 kB\nPss:      50 kB\nPss_Dirty: 9 kB\n')).toBe(51_200);
    expect(proportionalMemory('')).toBeUndefined();
  });
});
