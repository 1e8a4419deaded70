import { describe, expect, it } from 'vitest';
import type { DbShard } from '../kinds.ts';
import type { Operation } from '../operation.ts';
import { Heartbeats } from '../heartbeats.ts';
import { Departures } from './departures.ts';
import { shardView as view } from './testing.ts';

const status = { log: { stream: 'S', created: 'monday' } };
const half = { metadata: { name: 'half', namespace: 'shop', uid: 'u' }, spec: {}, status } as DbShard;

const given = view('half', { splitFrom: { shard: 'whole', at: null }, range: null, deleting: true });

describe('a new half that is given up', () => {
  let now = 0;
  const heartbeats = new Heartbeats(() => now);
  const beat = (state: 'primary' | 'following') =>
    heartbeats.take('quartet.shop.heartbeat.db.whole.r0', {
      pod: 'r0',
      role: 'db',
      node: 'a',
      resource: 'whole',
      incarnation: 'i',
      at: 0,
      replica: { state, term: 1, applied: 1, tail: 1, figures: {} },
    });
  const departures = new Departures({ heartbeats } as Pick<Operation, 'heartbeats'>, () => now);
  const all = [view('whole'), given];

  it('goes when the primary of the source was heard long enough after its last pod', () => {
    beat('primary');
    now = 1000;
    expect(departures.whyNotFinished(half, all)).toMatch(/whole has to say that it kept its keys/);
    now = 9000;
    beat('primary');
    expect(departures.whyNotFinished(half, all)).not.toBeNull();
    now = 12_000;
    beat('following');
    expect(departures.whyNotFinished(half, all)).not.toBeNull();
    beat('primary');
    expect(departures.whyNotFinished(half, all)).toBeNull();
  });

  it('goes at once when there is no source any more', () => {
    expect(departures.whyNotFinished(half, [given])).toBeNull();
    expect(departures.whyNotFinished(half, [view('whole', { deleting: true }), given])).toBeNull();
  });

  it('goes at once when no replica of it ever ran', () => {
    expect(departures.whyNotFinished({ ...half, status: {} } as DbShard, all)).toBeNull();
  });

  it('that serves keys goes like every other shard', () => {
    expect(
      departures.whyNotFinished(half, [view('whole'), { ...given, range: { start: 'm', end: '', epoch: 1 } }]),
    ).toBeNull();
  });
});
