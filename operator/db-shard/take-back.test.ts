import { beforeEach, describe, expect, it } from 'vitest';
import { Heartbeats } from '../heartbeats.ts';
import type { DbShard } from '../kinds.ts';
import type { Operation } from '../operation.ts';
import { TakeBacks } from './take-back.ts';

const low = {
  metadata: { name: 'low', namespace: 'shop' },
  spec: {},
  status: { members: [{ pod: 'r0' }] },
} as unknown as DbShard;

describe('a merge that was taken back', () => {
  let now = 0;
  let isPublished = true;
  let heartbeats = new Heartbeats(() => now);
  let takeBacks = new TakeBacks({ heartbeats } as Operation, () => now);

  const beat = (state: 'primary' | 'following', merge: boolean) =>
    heartbeats.take('quartet.shop.heartbeat.db.low.r0', {
      pod: 'r0',
      role: 'db',
      node: 'a',
      resource: 'low',
      incarnation: 'i',
      at: 0,
      replica: {
        state,
        term: 1,
        applied: 1,
        tail: 1,
        figures: {},
        range: {
          start: '',
          end: 'm',
          epoch: 1,
          ...(merge && { intake: { from: 'up', phase: 'log', merge: true } }),
        },
      },
    });

  /** Time passes, and the primary of the lower shard goes on saying the same. */
  const later = (ms: number, merge = false, state: 'primary' | 'following' = 'primary'): boolean => {
    now += ms;
    beat(state, merge);
    return takeBacks.isAnswered(low);
  };

  beforeEach(() => {
    now = 0;
    isPublished = true;
    heartbeats = new Heartbeats(() => now);
    const directory = { isPublished: () => isPublished };
    takeBacks = new TakeBacks({ heartbeats, directory } as unknown as Operation, () => now);
  });

  it('is given up when the primary says so, later than its document reached it', () => {
    takeBacks.note(low, false);
    expect(later(100)).toBe(false);
    expect(later(2900)).toBe(false);
    expect(later(200)).toBe(true);
  });

  it('is not given up while its document is not written', () => {
    isPublished = false;
    takeBacks.note(low, false);
    expect(later(10_000)).toBe(false);
    isPublished = true;
    expect(later(100)).toBe(false);
    expect(later(3100)).toBe(true);
  });

  it('is not given up while the primary takes keys over, or nobody leads', () => {
    takeBacks.note(low, false);
    expect(later(100, true)).toBe(false);
    expect(later(10_000, true)).toBe(false);
    expect(later(10_000, false, 'following')).toBe(false);
    expect(later(100)).toBe(true);
  });

  it('stays given up when the primary goes, until it is wanted again', () => {
    takeBacks.note(low, false);
    later(100);
    expect(later(3100)).toBe(true);
    expect(later(100, false, 'following')).toBe(true);
    takeBacks.note(low, true);
    expect(later(10_000)).toBe(false);
    takeBacks.note(low, false);
    expect(later(100)).toBe(false);
    expect(later(3100)).toBe(true);
  });

  it('of which nothing is known, since the operator has just started, is not given up', () => {
    expect(later(60_000)).toBe(false);
  });
});
