import { describe, expect, it } from 'vitest';
import { cacheName, cacheStatus } from './cache-status.ts';

describe('RFC 9211: Cache-Status', () => {
  it.each([
    ['a hit', { hit: true, ttlSeconds: 12.9 }, 'edge; hit; ttl=12'],
    [
      'a stale hit',
      { hit: true, ttlSeconds: -3, detail: 'stale-unreachable' },
      'edge; hit; ttl=-3; detail=stale-unreachable',
    ],
    [
      'a miss',
      { hit: false, forward: 'uri-miss', forwardStatus: 200, stored: true },
      'edge; fwd=uri-miss; fwd-status=200; stored',
    ],
    ['a joined miss', { hit: false, forward: 'uri-miss', collapsed: true }, 'edge; fwd=uri-miss; collapsed'],
  ] as const)('%s', (_, outcome, text) => {
    expect(cacheStatus('edge', outcome)).toBe(text);
  });

  it('names that are no tokens are strings', () => {
    expect(cacheName('edge/pod-1')).toBe('edge/pod-1');
    expect(cacheName('1st "edge"')).toBe('"1st edge"');
  });
});
