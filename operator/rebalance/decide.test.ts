import { describe, expect, it, test } from 'vitest';
import { bytesAllowed, type Budget } from './budget.ts';
import { badlySpread } from './changes.ts';
import { decide } from './decide.ts';
import type { FleetView } from './fleet-view.ts';
import { figures, fleetNode, fleetSet, fleetView, GiB } from './testing.ts';

const budget: Budget = { movesAtOnce: 1, bytesPerHour: 50 * GiB, pauseMs: 30_000 };

const shown = (view: FleetView): string | null => {
  const decision = decide(view, budget);
  if (decision === null) return null;
  const { type, pod, to, why } = decision;
  return `${type} ${pod} ${to}: ${why}`;
};

/** One zone, so that all nodes are equal. */
const flat = (view: FleetView): FleetView => ({
  ...view,
  nodes: view.nodes.map((node) => ({ ...node, zone: 'z' })),
  sets: view.sets.map((set) => ({ ...set, seats: set.seats.map((seat) => ({ ...seat, zone: 'z' })) })),
});

const three = ['s0', 's1', 's2'].map((key, i) => fleetSet(key, ['abc', 'bca', 'cab'][i] ?? ''));

const cases: readonly { readonly rule: string; readonly given: FleetView; readonly expected: string | null }[] = [
  { rule: 'an even fleet is left alone', given: flat(fleetView('abc', three)), expected: null },
  {
    rule: 'an empty node gets a replica, a follower, of those that copy least',
    given: flat(
      fleetView('abcd', [...three.slice(0, 2).map((set) => ({ ...set, ...figures(GiB / 4) })), fleetSet('s2', 'cab')]),
    ),
    expected: 'move s2-a node-d: node-a holds 3 replicas, node-d 0',
  },
  {
    rule: 'a difference of one replica is none',
    given: flat(fleetView('ab', [fleetSet('s0', 'a'), fleetSet('s1', 'b'), fleetSet('s2', 'a')])),
    expected: null,
  },
  {
    rule: 'primaries are spread before replicas move',
    given: flat(
      fleetView(
        'abcd',
        ['s0', 's1', 's2'].map((key) => fleetSet(key, 'abc')),
      ),
    ),
    expected: 'lead s0-b node-b: node-a leads 3 shards, node-b 0',
  },
  {
    rule: 'a node that stores most of the bytes gives some away',
    given: flat(
      fleetView('ab', [
        fleetSet('s0', 'a', figures(6 * GiB)),
        fleetSet('s1', 'a', figures(4 * GiB)),
        fleetSet('s2', 'b', figures(GiB)),
        fleetSet('s3', 'b', figures(GiB)),
      ]),
    ),
    expected: 'move s1-a node-b: node-a holds 83 % of the bytes of all replicas, node-b 17 %',
  },
  {
    rule: 'of a few megabytes nothing is made',
    given: flat(
      fleetView('ab', [
        fleetSet('s0', 'a', figures(9e6)),
        fleetSet('s1', 'a', figures(9e6)),
        fleetSet('s2', 'b'),
        fleetSet('s3', 'b'),
      ]),
    ),
    expected: null,
  },
  {
    rule: 'when work is what is uneven, the primary changes',
    given: flat(
      fleetView('ab', [
        fleetSet('s0', 'ab', figures(0, 3000, 100)),
        fleetSet('s1', 'ab', figures(0, 3000, 100)),
        fleetSet('s2', 'ba', figures(0, 10, 1)),
        fleetSet('s3', 'ba', figures(0, 10, 1)),
      ]),
    ),
    expected: 'lead s0-b node-b: node-a does 96 % of all reads and writes, node-b 4 %',
  },
  {
    rule: 'one hot shard is as hot on another node',
    given: flat(fleetView('ab', [fleetSet('s0', 'ab', figures(0, 3000, 100)), fleetSet('s1', 'ba')])),
    expected: null,
  },
  {
    rule: 'a primary that was changed a moment ago stays',
    given: flat(
      fleetView(
        'abc',
        ['s0', 's1'].map((key) => fleetSet(key, 'abc', { leadsForMs: 29_999 })),
      ),
    ),
    expected: null,
  },
  {
    rule: 'primaries are changed one after another',
    given: {
      ...flat(
        fleetView(
          'abc',
          ['s0', 's1'].map((key) => fleetSet(key, 'abc')),
        ),
      ),
      sinceLeadMs: 4999,
    },
    expected: null,
  },
  {
    rule: 'a set that is not well, or was not watched for long enough, is not touched',
    given: flat(
      fleetView(
        'abcd',
        [...three, ...three].map((set, i) => ({ ...set, ...(i % 2 ? { settled: false } : { figures: null }) })),
      ),
    ),
    expected: null,
  },
  {
    rule: 'no replica moves to a zone that holds one already',
    given: fleetView('abc', three, {
      nodes: [...'abc'].map((one) => fleetNode(one)).concat(fleetNode('d', { zone: 'zone-x' })),
    }),
    expected: 'move s0-b node-d: node-b holds 3 replicas, node-d 0',
  },
  {
    rule: 'within a zone it moves',
    given: fleetView('abc', three, {
      nodes: [...'abc'].map((one) => fleetNode(one)).concat(fleetNode('d', { zone: 'zone-c' })),
    }),
    expected: 'move s0-c node-d: node-c holds 3 replicas, node-d 0',
  },
  ...[{ usable: false, steadyForMs: 0 }, { steadyForMs: 9_999 }, { rebuilding: 1 }].map((over) => ({
    rule: `no replica moves to a node with ${JSON.stringify(over)}`,
    given: fleetView('abc', three, {
      nodes: [...'abc'].map((one) => fleetNode(one)).concat(fleetNode('d', { zone: 'zone-c', ...over })),
    }),
    expected: null,
  })),
  {
    rule: 'a set of one replica moves, too',
    given: flat(fleetView('ab', [fleetSet('s0', 'a'), fleetSet('s1', 'a')])),
    expected: 'move s0-a node-b: node-a holds 2 replicas, node-b 0',
  },
];

test.each(cases)('$rule', ({ given, expected }) => {
  expect(shown(given)).toBe(expected);
});

describe('the budget of moves', () => {
  const allowed = (sets: FleetView['sets']): number | null => bytesAllowed(fleetView('ab', sets), budget);

  it('is whole while nothing was moved within an hour', () => {
    const long = { lastMove: { agoMs: 3_600_000, bytes: 40 * GiB } };
    expect(allowed([fleetSet('s0', 'a', long), fleetSet('s1', 'a')])).toBe(50 * GiB);
  });

  it('is what an hour has left, moves that go on included', () => {
    const done = { lastMove: { agoMs: 1_800_000, bytes: 20 * GiB } };
    expect(allowed([fleetSet('s0', 'a', done), fleetSet('s1', 'a', done)])).toBe(10 * GiB);
    const two = bytesAllowed(
      fleetView('ab', [fleetSet('s0', 'a', done), fleetSet('s1', 'a', { busy: true, movingBytes: GiB })]),
      { ...budget, movesAtOnce: 2 },
    );
    expect(two).toBe(29 * GiB);
  });

  it('is none while another one moves or is rebuilt, and for a pause after it', () => {
    expect(allowed([fleetSet('s0', 'a', { busy: true })])).toBeNull();
    expect(allowed([fleetSet('s0', 'a', { lastMove: { agoMs: 29_999, bytes: 1 } })])).toBeNull();
  });

  it('leaves alone what is larger than it, and a set that moved within the hour', () => {
    const huge = [fleetSet('s0', 'a', figures(51 * GiB)), fleetSet('s1', 'a', figures(51 * GiB))];
    expect(shown(flat(fleetView('ab', huge)))).toBeNull();
    const rested = { lastMove: { agoMs: 3_599_999, bytes: 0 } };
    const tired = [fleetSet('s0', 'a', rested), fleetSet('s1', 'a', rested)];
    expect(shown(flat(fleetView('ab', tired)))).toBeNull();
  });
});

it('wakes the sets that could be spread better over zones', () => {
  const set = fleetSet('s0', 'ab');
  const oneZone = { ...set, seats: set.seats.map((seat) => ({ ...seat, zone: 'zone-a' })) };
  const nodes = [fleetNode('a'), fleetNode('b', { zone: 'zone-a' }), fleetNode('c')];
  expect(badlySpread(fleetView('', [oneZone, three[0] ?? set], { nodes })).map(({ key }) => key)).toEqual(['s0']);
});
