import { describe, expect, it, test } from 'vitest';
import type { RangeReport, ReplicaReport, ReplicaState } from '../../contract/heartbeat.ts';
import type { DbShard } from '../kinds.ts';
import { viewShard } from './shard-view.ts';

const created = '2026-01-01T00:00:00Z';
const now = Date.parse(created) + 3_600_000;

type Said = readonly [ReplicaState, RangeReport?];

/** A shard with the replicas r0, r1, … that said this. */
const view = (
  over: { spec?: object; status?: object; metadata?: object },
  said: readonly Said[],
  hasGivenUp = false,
) => {
  const reports = said.map(([state, range], i): ReplicaReport => ({
    state,
    term: 1,
    applied: 10 - i,
    tail: 10,
    figures: {},
    ...(range && { range }),
  }));
  const shard = {
    metadata: { name: 'up', namespace: 'shop', creationTimestamp: created, ...over.metadata },
    spec: { database: 'app', range: { start: 'm', end: '' }, mergeInto: 'low', ...over.spec },
    status: { members: said.map((_, i) => ({ pod: `r${i}` })), ...over.status },
  } as unknown as DbShard;
  const hear = (pod: string) => {
    const report = reports[Number(pod.slice(1))];
    return report && { report, ageMs: 100 };
  };
  return viewShard(shard, { hear, hasGivenUp, now });
};

const empty = { start: 'm', end: 'm', epoch: 3 };
const keys = { start: 'm', end: '' };
const handed = { to: 'low', ...keys };

describe('a shard that gave all of its keys away', () => {
  test.each<[string, readonly Said[], number | null]>([
    ['nobody is heard', [], null],
    ['its primary says so', [['primary', { ...empty, transactions: 2 }]], 2],
    ['a replica that leads no more said so last', [['following', { ...empty, transactions: 0 }]], 0],
    [
      'one replica is behind',
      [
        ['primary', { ...empty, transactions: 0 }],
        ['following', { ...empty, transactions: 2 }],
      ],
      0,
    ],
    ['it was said with keys', [['primary', { start: 'm', end: '', epoch: 1, transactions: 0 }]], null],
    ['its replicas say nothing of them', [['primary', empty]], null],
  ])('may be asked by as many transactions as are known when %s', (_, said, transactions) => {
    expect(view({}, said).transactions).toBe(transactions);
  });

  it('has no range, and not that of its spec again', () => {
    expect(view({}, [['primary', empty]])).toMatchObject({ range: null, emptied: { at: 'm', epoch: 3 }, handed: null });
    expect(view({ status: { range: empty, merge: { to: 'low', phase: 'Merged' } } }, [])).toMatchObject({
      range: null,
      emptied: { at: 'm', epoch: 3 },
      wasMerged: true,
    });
  });

  it('has them on their way while status does not show that they have arrived', () => {
    const status = { range: { start: 'm', end: '', epoch: 1 }, merge: { to: 'low', phase: 'Following', keys } };
    expect(view({ status }, [['primary', empty]]).handed).toEqual(handed);
    expect(
      view({ status: { ...status, merge: { to: 'low', phase: 'Merged', keys } } }, [['primary', empty]]).handed,
    ).toBeNull();
  });
});

describe('a shard that takes the keys of its upper neighbour over', () => {
  const own = { start: '', end: 'm', epoch: 2 };
  const merging = { from: 'up', phase: 'log', merge: true } as const;
  const lower = { spec: { range: { start: '', end: 'm' }, mergeInto: undefined } };
  const status = { range: own, merge: { from: 'up', phase: 'Following' } };

  it('serves its own meanwhile', () => {
    expect(view(lower, [['primary', { ...own, intake: merging }]])).toMatchObject({
      range: own,
      merging,
      intake: null,
    });
    expect(view({ ...lower, status }, [])).toMatchObject({ range: own, merging, takesFrom: 'up' });
  });

  it('has not begun while it waits', () => {
    const waiting = { ...own, intake: { ...merging, phase: 'waiting' as const } };
    expect(view(lower, [['primary', waiting]])).toMatchObject({ range: own, merging: null });
  });

  it('tells what its primary waits for, whoever else is heard', () => {
    const said: readonly Said[] = [
      ['following', { ...own, intake: merging }],
      ['primary', { ...own, intake: { ...merging, problem: 'up has no primary' } }],
    ];
    expect(view(lower, said).waitsFor).toBe('up has no primary');
    const waiting = { ...merging, phase: 'waiting', problem: 'up has no primary' } as const;
    expect(view(lower, [['primary', { ...own, intake: waiting }]]).waitsFor).toBe('up has no primary');
  });

  it('has not given up while its log says otherwise', () => {
    expect(view(lower, [['primary', { ...own, intake: merging }]], true).hasGivenUp).toBe(false);
    expect(view(lower, [['primary', own]], true).hasGivenUp).toBe(true);
  });

  it('has keys to lose that came after its deletion was asked for, also when the operator was away', () => {
    const metadata = { deletionTimestamp: created };
    const joined: Said = ['primary', { start: '', end: '', epoch: 3 }];
    expect(view({ ...lower, status, metadata }, [['primary', own]]).wasHeld).toBe(false);
    expect(view({ ...lower, status, metadata }, [joined]).wasHeld).toBe(true);
    expect(view({ ...lower, status }, [joined]).wasHeld).toBe(false);
    const held = (reason: string) => ({ status: { range: own, conditions: [{ type: 'DeletionHeld', reason }] } });
    expect(view({ ...lower, metadata, ...held('KeysUnderWay') }, [joined]).wasHeld).toBe(true);
    expect(view({ ...lower, metadata, ...held('MergeTakenBack') }, [['primary', own]]).wasHeld).toBe(false);
  });
});
