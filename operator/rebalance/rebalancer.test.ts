import { describe, expect, it } from 'vitest';
import type { Heartbeat } from '../../contract/heartbeat.ts';
import { Fleet, type Occupancy, type SetStanding } from '../fleet.ts';
import type { Heard } from '../heartbeats.ts';
import { Rebalancer, type RebalancerParts, type RebalanceSettings } from './rebalancer.ts';

const settings: RebalanceSettings = {
  enabled: true,
  movesAtOnce: 1,
  bytesPerHour: 2 ** 40,
  pauseMs: 30_000,
  overMs: 120_000,
};

const nodes = ['a', 'b', 'c'].map((letter) => ({
  name: `node-${letter}`,
  zone: 'z',
  usable: true,
  lost: false,
  since: -3_600_000,
}));

/** Two sets with both replicas on the first two of three nodes. */
const occupancy = (key: string, over: Partial<SetStanding> = {}): Occupancy => ({
  replicaNodes: ['node-a', 'node-b'],
  primaryNode: 'node-a',
  rebuildingNodes: [],
  standing: {
    seats: ['a', 'b'].map((letter) => ({ pod: `${key}-${letter}`, node: `node-${letter}`, zone: 'z' })),
    leader: `${key}-a`,
    settled: true,
    move: null,
    lastMove: null,
    ...over,
  },
});

const heard = (): Heard =>
  ({
    beat: { load: { requestsPerSecond: 10 }, replica: { figures: { bytes: 1000 } } } as unknown as Heartbeat,
    stateSince: Number.NEGATIVE_INFINITY,
  }) as Heard;

const world = (over: Partial<RebalancerParts> = {}) => {
  const fleet = new Fleet();
  for (const key of ['one', 'two', 'three']) fleet.note(`db/shop/${key}`, occupancy(key));
  let now = 0;
  const heartbeats = { get: heard, evidence: () => 'sound' as const };
  const log = { info: () => {} } as unknown as RebalancerParts['log'];
  const parts = { settings, fleet, nodes: { all: () => nodes }, heartbeats, log, now: () => now, ...over };
  const rebalancer = new Rebalancer(parts);
  /** Looks every five seconds; what was asked to be woken in that time. */
  const pass = (seconds: number, isComplete = true): string[] => {
    const woken: string[] = [];
    for (let i = 0; i < seconds / 5; i++) {
      now += 5_000;
      woken.push(...rebalancer.look(isComplete));
    }
    return woken;
  };
  return { fleet, rebalancer, pass };
};

describe('the rebalancer', () => {
  it('watches for a minute, then proposes one change, to one set', () => {
    const { rebalancer, pass } = world();
    expect(pass(60)).toEqual([]);
    const [set = ''] = pass(5);
    expect(rebalancer.improvementFor(set)).toMatchObject({ type: 'lead', why: 'node-a leads 3 shards, node-b 0' });
    expect(['one', 'two', 'three'].filter((key) => rebalancer.improvementFor(`db/shop/${key}`) !== null)).toHaveLength(
      1,
    );
  });

  it('proposes nothing else until that is done, and not for ever what nobody takes up', () => {
    const { fleet, rebalancer, pass } = world();
    const [set = ''] = pass(65);
    expect(pass(5)).toEqual([]);
    const key = set.replace('db/shop/', '');
    fleet.note(set, occupancy(key, { leader: `${key}-b` }));
    expect(rebalancer.improvementFor(set)).toBeNull();
    const [next = ''] = pass(5);
    expect(rebalancer.improvementFor(next)).toMatchObject({ type: 'move', to: 'node-c' });
    expect(pass(5)).toEqual([]);
    expect(pass(5)).toHaveLength(1);
  });

  it('waits for a move that goes on', () => {
    const { fleet, pass } = world();
    fleet.note('db/shop/one', occupancy('one', { move: { bytes: 1 }, settled: false }));
    const proposed = pass(300);
    expect(proposed.length).toBeGreaterThan(0);
    // changes of primaries are no moves
    expect(proposed).not.toContain('db/shop/one');
  });

  it.each<[string, Partial<RebalancerParts>, boolean]>([
    ['it is switched off', { settings: { ...settings, enabled: false } }, true],
    ['there are sets of which nothing was seen yet', {}, false],
    ['the operator itself hears too little', { heartbeats: { get: heard, evidence: () => 'none' as const } }, true],
    ['no replica is heard', { heartbeats: { get: () => undefined, evidence: () => 'sound' as const } }, true],
  ])('proposes nothing while %s', (_, over, isComplete) => {
    expect(world(over).pass(300, isComplete)).toEqual([]);
  });

  it('tells what nodes carry', () => {
    const { rebalancer, pass } = world();
    pass(65);
    expect(rebalancer.loads().get('node-a')).toMatchObject({ replicas: 3, primaries: 3, bytes: 3000 });
    expect(rebalancer.loads().get('node-c')).toEqual({ replicas: 0, primaries: 0, bytes: 0, work: 0 });
  });
});
