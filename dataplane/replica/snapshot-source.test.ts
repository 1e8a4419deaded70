import { describe, expect, test } from 'vitest';
import { choosePeer, type Peer } from './snapshot-source.ts';

const peer = (pod: string, applied: number, leading = false): Peer => ({ pod, applied, leading });

describe('the peer that a snapshot is taken from', () => {
  const cases: readonly [name: string, peers: readonly Peer[], first: number, chosen: string | undefined][] = [
    ['none when there is none', [], 1, undefined],
    ['the most advanced', [peer('a', 5), peer('b', 9)], 1, 'b'],
    ['a follower rather than the primary when both are as far', [peer('a', 9, true), peer('b', 9)], 1, 'b'],
    ['the lower name when all is equal', [peer('b', 9), peer('a', 9)], 1, 'a'],
    ['none whose state does not reach the log', [peer('a', 3)], 5, undefined],
    ['one that just reaches it', [peer('a', 4)], 5, 'a'],
    ['none that is empty', [peer('a', 0)], 1, undefined],
  ];
  test.each(cases)('%s', (_name, peers, first, chosen) => {
    expect(choosePeer(peers, first)?.pod).toBe(chosen);
  });
});
