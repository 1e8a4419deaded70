import { describe, expect, it } from 'vitest';
import type { DbShardSpec } from './db-shard.ts';
import { splitName, splitSpec } from './split.ts';

describe('the name of a new half', () => {
  it.each([
    ['app-a', 'g', [], 'app-a-g'],
    ['app-a', undefined, [], 'app-a-upper'],
    ['app-a', undefined, ['app-a-upper', 'app-a-upper-2'], 'app-a-upper-3'],
    ['app-a', 'User:7', [], 'app-a-upper'],
    ['app-a', 'a-very-long-key-that-is-no-name', [], 'app-a-upper'],
    ['a'.repeat(40), 'g', [], `${'a'.repeat(38)}-g`],
    [`${'a'.repeat(37)}-bc`, 'g', [], `${'a'.repeat(37)}-g`],
  ])('of %s at %s, where there are %j, is %s', (shard, at, taken, name) => {
    expect(splitName(shard, at, new Set(taken))).toBe(name);
    expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/);
  });
});

describe('the spec of a new half', () => {
  const spec = {
    database: 'app',
    range: { start: 'a', end: 'm' },
    splitFrom: { shard: 'older' },
    mergeInto: 'lower',
    replicas: 5,
    storage: { size: '2Gi', className: 'fast', policy: 'Delete' },
    failover: { suspectAfter: '2s', replaceAfter: '1m' },
    split: { above: '1Gi' },
  } as DbShardSpec;

  it('is that of the shard that is split, without its range and its merge', () => {
    const { range: _range, mergeInto: _mergeInto, ...rest } = spec;
    expect(splitSpec({ name: 'app-a', spec }, 'g')).toEqual({ ...rest, splitFrom: { shard: 'app-a', at: 'g' } });
    expect(splitSpec({ name: 'app-a', spec }, undefined).splitFrom).toEqual({ shard: 'app-a' });
  });
});
