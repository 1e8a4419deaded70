import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { SetAction } from './action.ts';
import { anyView } from './arbitrary.ts';
import { planSet } from './plan-set.ts';
import { beat, cordoned, lostNode, node, primary, replica, view } from './testing.ts';
import type { SetView } from './view.ts';

/** An action in a line: what a table can show. */
const show = (action: SetAction): string => {
  switch (action.type) {
    case 'create-replica':
      return `create r${action.number} on ${action.node}`;
    case 'forget-replica':
      return `forget ${action.pod}${action.force ? ' by force' : ''}`;
    case 'promote':
      return `promote ${action.pod} to term ${action.term}`;
    case 'switch-over':
      return `switch over from ${action.from} to ${action.pod} with term ${action.term}`;
    case 'label':
      return `label ${action.pod} ${action.primary ? 'primary' : 'replica'}`;
    default:
      return `${action.type} ${action.pod}`;
  }
};

const plan = (given: SetView): string[] => planSet(given).actions.map(show);

const silentFor = (ageMs: number) => ({ beat: beat('following', { ageMs }) });
const four = [node('a', { primaries: 1 }), node('b'), node('c'), node('d', { replicas: 0 })];
const fresh = { recorded: { primary: null, term: 0 }, nextNumber: 0, replicas: [] };

const cases: readonly { readonly rule: string; readonly given: SetView; readonly expected: readonly string[] }[] = [
  { rule: 'a settled set plans nothing', given: view(), expected: [] },
  {
    rule: 'a new set is made at once, spread over nodes',
    given: view(fresh),
    expected: ['create r0 on node-a', 'create r1 on node-b', 'create r2 on node-c'],
  },
  {
    rule: 'a new set with too few nodes is made as far as it goes',
    given: view({ ...fresh, nodes: [node('a'), lostNode('b', 1)] }),
    expected: ['create r0 on node-a'],
  },
  {
    rule: 'a replica on a node that was lost a moment ago is waited for',
    given: view({
      nodes: [...four.slice(0, 2), lostNode('c', 9_999), node('d')],
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', silentFor(9_999))],
    }),
    expected: [],
  },
  {
    rule: 'a replica on a lost node is rebuilt on another after replaceAfter',
    given: view({
      nodes: [...four.slice(0, 2), lostNode('c', 10_000), node('d')],
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', silentFor(10_000))],
    }),
    expected: ['create r3 on node-d'],
  },
  {
    rule: 'a replica that is silent on a ready node gets three times as long',
    given: view({
      nodes: four,
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', silentFor(29_999))],
    }),
    expected: [],
  },
  {
    rule: 'a replica that is silent for long on a ready node is rebuilt on another',
    given: view({
      nodes: four,
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', silentFor(30_000))],
    }),
    expected: ['create r3 on node-d'],
  },
  {
    rule: 'nobody is replaced for silence while the operator hears too little',
    given: view({
      nodes: four,
      evidence: 'none',
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', silentFor(60_000))],
    }),
    expected: [],
  },
  {
    rule: 'an operator that just began to listen has not witnessed any silence',
    given: view({
      nodes: four,
      listeningForMs: 2000,
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', { beat: null })],
    }),
    expected: [],
  },
  {
    rule: 'a replica that halted alone is rebuilt on another node',
    given: view({
      nodes: four,
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', { beat: beat('halted') })],
    }),
    expected: ['create r3 on node-d'],
  },
  {
    rule: 'the lost one is kept until the new one has caught up',
    given: view({
      nodes: [...four.slice(0, 2), lostNode('c', 60_000), node('d', { rebuilding: 1 })],
      nextNumber: 4,
      replicas: [
        primary(0, 'a'),
        replica(1, 'b'),
        replica(2, 'c', silentFor(60_000)),
        replica(3, 'd', { beat: beat('rebuilding') }),
      ],
    }),
    expected: [],
  },
  {
    rule: 'the lost one is forgotten by force when the new one has caught up',
    given: view({
      nodes: [...four.slice(0, 2), lostNode('c', 60_000), node('d')],
      nextNumber: 4,
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', silentFor(60_000)), replica(3, 'd')],
    }),
    expected: ['forget r2 by force'],
  },
  {
    rule: 'a lost one that came back makes the one that is still rebuilt superfluous',
    given: view({
      nodes: [...four.slice(0, 3), node('d', { zone: 'zone-a', rebuilding: 1, replicas: 5 })],
      nextNumber: 4,
      replicas: [
        primary(0, 'a'),
        replica(1, 'b'),
        replica(2, 'c'),
        replica(3, 'd', { zone: 'zone-a', beat: beat('rebuilding') }),
      ],
    }),
    expected: ['forget r3'],
  },
  {
    rule: 'two lost replicas are rebuilt one after the other',
    given: view({
      nodes: [node('a'), lostNode('b', 60_000), lostNode('c', 60_000), node('d', { rebuilding: 1 }), node('e')],
      nextNumber: 4,
      replicas: [
        primary(0, 'a'),
        replica(1, 'b', silentFor(60_000)),
        replica(2, 'c', silentFor(60_000)),
        replica(3, 'd', { beat: beat('rebuilding') }),
      ],
    }),
    expected: [],
  },
  {
    rule: 'a node rebuilds one replica at a time',
    given: view({
      nodes: [...four.slice(0, 2), lostNode('c', 60_000), node('d', { rebuilding: 1 })],
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', silentFor(60_000))],
    }),
    expected: [],
  },
  {
    rule: 'without a primary nothing is rebuilt',
    given: view({
      nodes: [lostNode('a', 60_000), node('b'), node('c')],
      replicas: [primary(0, 'a', silentFor(60_000)), replica(1, 'b', { beat: beat('halted', { stateForMs: 1 }) })],
    }),
    expected: [],
  },
  {
    rule: 'a dead primary is succeeded first',
    given: view({
      nodes: [lostNode('a', 60_000), node('b'), node('c'), node('d')],
      replicas: [primary(0, 'a', silentFor(60_000)), replica(1, 'b'), replica(2, 'c')],
    }),
    expected: ['promote r1 to term 2'],
  },
  {
    rule: 'scaling up adds one at a time',
    given: view({ desired: 5, nodes: [...four, node('e', { replicas: 0 })] }),
    expected: ['create r3 on node-d'],
  },
  {
    rule: 'scaling up with no node left does nothing',
    given: view({ desired: 5 }),
    expected: [],
  },
  {
    rule: 'scaling down takes a follower, the youngest of equals',
    given: view({ desired: 2 }),
    expected: ['forget r2'],
  },
  {
    rule: 'scaling down never takes the primary while a follower will do',
    given: view({
      desired: 1,
      replicas: [replica(0, 'a'), replica(1, 'b'), primary(2, 'c')],
      recorded: { primary: 'r2', term: 1 },
    }),
    expected: ['forget r1'],
  },
  {
    rule: 'the label of the primary is moved',
    given: view({
      replicas: [
        primary(0, 'a', { labelledPrimary: false }),
        replica(1, 'b', { labelledPrimary: true }),
        replica(2, 'c'),
      ],
    }),
    expected: ['label r0 primary', 'label r1 replica'],
  },
  {
    rule: 'a pod that vanished comes back on its node',
    given: view({
      replicas: [
        primary(0, 'a'),
        replica(1, 'b'),
        replica(2, 'c', { presence: 'absent', beat: null, createdForMs: 1 }),
      ],
    }),
    expected: ['create-pod r2'],
  },
  {
    rule: 'a pod that vanished from a cordoned node waits',
    given: view({
      nodes: [node('a'), node('b'), node('c', { usable: false, unusableForMs: 1 })],
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', { presence: 'absent', ...silentFor(5000) })],
    }),
    expected: [],
  },
  {
    rule: 'a pod that failed is deleted, to be made anew',
    given: view({
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', { presence: 'failed', ...silentFor(2000) })],
    }),
    expected: ['delete-pod r2'],
  },
  {
    rule: 'a new template goes to a follower first',
    given: view({
      replicas: [
        primary(0, 'a', { outdated: true }),
        replica(1, 'b', { outdated: true }),
        replica(2, 'c', { outdated: true }),
      ],
    }),
    expected: ['delete-pod r1'],
  },
  {
    rule: 'a new template waits for the last one that got it',
    given: view({
      replicas: [
        primary(0, 'a', { outdated: true }),
        replica(1, 'b', { beat: beat('starting') }),
        replica(2, 'c', { outdated: true }),
      ],
    }),
    expected: [],
  },
  {
    rule: 'the primary hands over before it gets a new template',
    given: view({ replicas: [primary(0, 'a', { outdated: true }), replica(1, 'b'), replica(2, 'c')] }),
    expected: ['switch over from r0 to r1 with term 2'],
  },
  {
    rule: 'a replica that does not work gets a new template at once',
    given: view({
      evidence: 'none',
      replicas: [
        primary(0, 'a'),
        replica(1, 'b', { outdated: true, ready: false, beat: null, createdForMs: 1 }),
        replica(2, 'c'),
      ],
    }),
    expected: ['delete-pod r1'],
  },
  {
    rule: 'a revived node gets a replica back from a zone with two',
    given: view({
      desired: 2,
      replicas: [primary(0, 'a'), replica(1, 'b', { zone: 'zone-a' })],
      nextNumber: 2,
      nodes: [node('a', { replicas: 3, primaries: 1 }), node('b', { zone: 'zone-a', replicas: 4 }), node('c')],
    }),
    expected: ['create r2 on node-c'],
  },
  {
    rule: 'how many replicas nodes hold is for the balance of the fleet',
    given: view({
      desired: 2,
      replicas: [primary(0, 'a'), replica(1, 'b')],
      nextNumber: 2,
      nodes: four.slice(0, 3).map((one, i) => ({ ...one, replicas: 9 - 4 * i })),
    }),
    expected: [],
  },
  {
    rule: 'nothing moves to a node that came back a moment ago',
    given: view({
      desired: 2,
      replicas: [primary(0, 'a'), replica(1, 'b')],
      nodes: [node('a', { zone: 'zone-b', primaries: 1 }), node('b'), node('c', { replicas: 0, steadyForMs: 9_999 })],
    }),
    expected: [],
  },
  {
    rule: 'the replica that moved away is forgotten once the new one has caught up',
    given: view({
      desired: 2,
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c')],
      nodes: [
        node('a', { replicas: 3, primaries: 1 }),
        node('b', { replicas: 4 }),
        node('c', { zone: 'zone-b', replicas: 3 }),
      ],
    }),
    expected: ['forget r1'],
  },
  {
    rule: 'a zone with two replicas gives one to a zone without',
    given: view({
      replicas: [primary(0, 'a'), replica(1, 'b', { zone: 'zone-a' }), replica(2, 'c')],
      nodes: [node('a', { primaries: 1 }), node('b', { zone: 'zone-a' }), node('c'), node('d', { replicas: 5 })],
    }),
    expected: ['create r3 on node-d'],
  },
  {
    rule: 'a primary hands over for the balance of the fleet',
    given: view({ improvement: { type: 'lead', pod: 'r2', why: 'node-a leads 3 shards, node-c 0' } }),
    expected: ['switch over from r0 to r2 with term 2'],
  },
  {
    rule: 'a primary that was elected a moment ago does not',
    given: view({
      replicas: [primary(0, 'a', { beat: beat('primary', { stateForMs: 29_999 }) }), replica(1, 'b'), replica(2, 'c')],
      improvement: { type: 'lead', pod: 'r2', why: 'node-a leads 3 shards, node-c 0' },
    }),
    expected: [],
  },
  {
    rule: 'nor does one to a node that is closed meanwhile',
    given: view({
      nodes: [node('a'), node('b'), cordoned('c', 0)],
      improvement: { type: 'lead', pod: 'r2', why: 'node-a leads 3 shards, node-c 0' },
    }),
    expected: [],
  },
  {
    rule: 'a primary whose node is cordoned hands over before it is evicted',
    given: view({ nodes: [cordoned('a', 0), node('b'), node('c')] }),
    expected: ['switch over from r0 to r1 with term 2'],
  },
  {
    rule: 'not to a replica that is about to be evicted too',
    given: view({ nodes: [cordoned('a', 0), cordoned('b', 0), node('c')] }),
    expected: ['switch over from r0 to r2 with term 2'],
  },
  {
    rule: 'nor to one that is behind',
    given: view({
      nodes: [cordoned('a', 0), node('b'), node('c')],
      replicas: [primary(0, 'a'), replica(1, 'b', { beat: beat('rebuilding') }), replica(2, 'c')],
    }),
    expected: ['switch over from r0 to r2 with term 2'],
  },
  {
    rule: 'a primary stays when all nodes are cordoned',
    given: view({ nodes: [cordoned('a', 0), cordoned('b', 0), cordoned('c', 0)] }),
    expected: [],
  },
  {
    rule: 'a hand-over goes before a replacement',
    given: view({
      nodes: [cordoned('a', 0), node('b'), node('c'), node('d', { replicas: 0 })],
      replicas: [primary(0, 'a'), replica(1, 'b')],
    }),
    expected: ['switch over from r0 to r1 with term 2'],
  },
  {
    rule: 'a follower on a node that was cordoned a moment ago stays',
    given: view({ nodes: [node('a'), node('b'), cordoned('c', 9_999), node('d', { replicas: 0 })] }),
    expected: [],
  },
  {
    rule: 'one whose node stays cordoned moves when another is free',
    given: view({ nodes: [node('a'), node('b'), cordoned('c', 10_000), node('d', { replicas: 0 })] }),
    expected: ['create r3 on node-d'],
  },
  {
    rule: 'one that was evicted is rebuilt elsewhere when its node stays cordoned',
    given: view({
      nodes: [node('a'), node('b'), cordoned('c', 10_000), node('d', { replicas: 0 })],
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', { presence: 'absent', beat: null })],
    }),
    expected: ['create r3 on node-d'],
  },
  {
    rule: 'one that was evicted waits for its node when no other is free',
    given: view({
      nodes: [node('a'), node('b'), cordoned('c', 10_000)],
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', { presence: 'absent', beat: null })],
    }),
    expected: [],
  },
  {
    rule: 'a new template waits for its turn',
    given: view({
      rollOutWaitsFor: 'x',
      replicas: [primary(0, 'a'), replica(1, 'b', { outdated: true }), replica(2, 'c')],
    }),
    expected: [],
  },
  {
    rule: 'a new template leaves the pods of a cordoned node alone: they could not come back',
    given: view({
      nodes: [node('a'), cordoned('b', 0), node('c')],
      replicas: [primary(0, 'a'), replica(1, 'b', { outdated: true }), replica(2, 'c', { outdated: true })],
    }),
    expected: ['delete-pod r2'],
  },
];

describe('plan of a replica set', () => {
  test.each(cases)('$rule', ({ given, expected }) => {
    expect(plan(given)).toEqual(expected);
  });

  it('says why nothing is done', () => {
    expect(planSet(view({ desired: 5 })).blocked).toBe('no usable node is left that holds no replica of this shard');
  });
});

describe('plan of a replica set, whatever the situation', () => {
  it('never makes a replica on a node that holds one, or on an unusable node', () => {
    fc.assert(
      fc.property(anyView, (given) => {
        const taken = new Set(given.replicas.map((one) => one.node));
        for (const action of planSet(given).actions) {
          if (action.type !== 'create-replica') continue;
          expect(taken.has(action.node)).toBe(false);
          expect(given.nodes.find(({ name }) => name === action.node)?.usable).toBe(true);
          taken.add(action.node);
        }
      }),
    );
  });

  it('never reuses a number', () => {
    fc.assert(
      fc.property(anyView, (given) => {
        for (const action of planSet(given).actions) {
          if (action.type === 'create-replica') expect(action.number).toBeGreaterThanOrEqual(given.nextNumber);
        }
      }),
    );
  });

  it('never forgets the primary, nor a replica that the set cannot do without', () => {
    fc.assert(
      fc.property(anyView, (given) => {
        const planned = planSet(given);
        for (const action of planned.actions) {
          if (action.type !== 'forget-replica') continue;
          expect(action.pod).not.toBe(planned.leader);
          const left = given.replicas.filter(({ pod }) => pod !== action.pod);
          expect(left.length).toBeGreaterThanOrEqual(given.desired);
        }
      }),
    );
  });

  it('changes membership by one at a time once the set has a term', () => {
    fc.assert(
      fc.property(anyView, (given) => {
        if (given.recorded.term === 0) return;
        const changes = planSet(given).actions.filter(
          ({ type }) => type === 'create-replica' || type === 'forget-replica',
        );
        expect(changes.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('asks one replica to lead, and only when nobody does', () => {
    fc.assert(
      fc.property(anyView, (given) => {
        const planned = planSet(given);
        const promotions = planned.actions.filter(({ type }) => type === 'promote');
        expect(promotions.length).toBeLessThanOrEqual(1);
        if (promotions.length > 0) expect(planned.leader).toBeNull();
      }),
    );
  });
});
