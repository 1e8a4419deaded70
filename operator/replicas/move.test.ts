import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { anyView } from './arbitrary.ts';
import { planSet } from './plan-set.ts';
import { zoneCost } from './placement.ts';
import { beat, cordoned, lostNode, node, primary, replica, view } from './testing.ts';
import type { MoveRequest, SetView } from './view.ts';

const request = (replicaName: string, to: string | null, over: Partial<MoveRequest> = {}): MoveRequest => ({
  replica: replicaName,
  to,
  why: '',
  automatic: false,
  replacement: null,
  ...over,
});

/** Two nodes of zone c, so that r2 may move from one to the other. */
const nodes = [node('a', { primaries: 1 }), node('b'), node('c'), node('d', { zone: 'zone-c', replicas: 0 })];
const asked = (move: MoveRequest, over: Partial<SetView> = {}): SetView =>
  view({ nodes, move, nextNumber: 3, ...over });
const toD = request('r2', 'node-d');
/** The new replica r3 on node-d. */
const replacement = (over: Parameters<typeof replica>[2] = {}) =>
  replica(3, 'd', { zone: 'zone-c', replaces: 'r2', ...over });
const three = view().replicas;
const rebuilding = { beat: beat('rebuilding') };

const show = (given: SetView): string[] => {
  const { move, actions, blocked } = planSet(given);
  const told = 'reason' in move ? `${move.type} ${move.reason}` : move.type;
  const done = actions.map((action) => {
    if (action.type === 'create-replica')
      return `create r${action.number} on ${action.node} for ${action.replaces ?? 'nobody'}`;
    return `${action.type} ${action.pod}`;
  });
  return [told, ...done, ...(blocked === null ? [] : [blocked])];
};

const steps: readonly { readonly rule: string; readonly given: SetView; readonly expected: readonly string[] }[] = [
  { rule: 'begins with a new replica', given: asked(toD), expected: ['begins', 'create r3 on node-d for r2'] },
  {
    rule: 'begins on the best node when none is named',
    given: asked(request('r2', null)),
    expected: ['begins', 'create r3 on node-d for r2'],
  },
  {
    rule: 'keeps the old one until the new one has caught up',
    given: asked(toD, { replicas: [...three, replacement(rebuilding)] }),
    expected: ['copies', 'r2 goes when the others have caught up'],
  },
  {
    rule: 'keeps an old one that is restarting, too: it is the third copy',
    given: asked(toD, {
      replicas: [...three.slice(0, 2), replica(2, 'c', { beat: beat('starting') }), replacement(rebuilding)],
    }),
    expected: ['copies', 'r2 goes when the others have caught up'],
  },
  {
    rule: 'ends with the old one forgotten',
    given: asked(toD, { replicas: [...three, replacement()] }),
    expected: ['replaces', 'forget-replica r2'],
  },
  {
    rule: 'of a primary goes on with another one leading',
    given: asked(request('r0', 'node-d'), {
      nodes: [node('a', { zone: 'zone-c' }), node('b'), node('c', { zone: 'zone-a' }), node('d', { zone: 'zone-c' })],
      replicas: [...three, replica(3, 'd', { zone: 'zone-c', replaces: 'r0' })],
    }),
    expected: ['replaces', 'switch-over r1'],
  },
  {
    rule: 'is over when the old one is gone',
    given: asked(toD, { replicas: [...three.slice(0, 2), replacement()] }),
    expected: ['moved'],
  },
  {
    rule: 'of the only replica: first another one',
    given: asked(request('r0', 'node-b'), {
      desired: 1,
      nodes: [node('a'), node('b', { zone: 'zone-a' })],
      replicas: [primary(0, 'a')],
      nextNumber: 1,
    }),
    expected: ['begins', 'create r1 on node-b for r0'],
  },
  {
    rule: 'of the only replica: then the new one leads',
    given: asked(request('r0', 'node-b'), {
      desired: 1,
      replicas: [primary(0, 'a'), replica(1, 'b', { replaces: 'r0' })],
    }),
    expected: ['replaces', 'switch-over r1'],
  },
  {
    rule: 'of the only replica: then the old one goes',
    given: asked(request('r0', 'node-b'), {
      desired: 1,
      replicas: [replica(0, 'a'), primary(1, 'b', { replaces: 'r0' })],
      recorded: { primary: 'r1', term: 2 },
    }),
    expected: ['replaces', 'label r0', 'forget-replica r0'].filter((word) => word !== 'label r0'),
  },
  {
    rule: 'is given up when the new replica is lost with its node, which is then forgotten',
    given: asked(toD, {
      nodes: [...nodes.slice(0, 3), lostNode('d', 10_000)],
      replicas: [...three, replacement({ beat: beat('rebuilding', { ageMs: 10_000 }) })],
    }),
    expected: ['given-up', 'forget-replica r3'],
  },
  {
    rule: 'waits while the node of the new replica is lost for a moment',
    given: asked(toD, {
      nodes: [...nodes.slice(0, 3), lostNode('d', 9_000)],
      replicas: [...three, replacement({ beat: beat('rebuilding', { ageMs: 9_000 }) })],
    }),
    expected: ['copies', 'r2 goes when the others have caught up'],
  },
  {
    rule: 'is given up when the new replica vanished',
    given: asked(request('r2', 'node-d', { replacement: 'r3' })),
    expected: ['given-up'],
  },
  {
    rule: 'is done when the old one is lost meanwhile and the new one has caught up',
    given: asked(toD, {
      nodes: [node('a'), node('b'), lostNode('c', 60_000), node('d', { zone: 'zone-c' })],
      replicas: [...three.slice(0, 2), replica(2, 'c', { beat: beat('following', { ageMs: 60_000 }) }), replacement()],
    }),
    expected: ['replaces', 'forget-replica r2'],
  },
  {
    rule: 'fills the place of another one that is lost meanwhile',
    given: asked(toD, {
      nodes: [node('a'), lostNode('b', 60_000), node('c'), node('d', { zone: 'zone-c' })],
      replicas: [
        primary(0, 'a'),
        replica(1, 'b', { beat: beat('following', { ageMs: 60_000 }) }),
        replica(2, 'c'),
        replacement(),
      ],
    }),
    expected: ['replaces', 'forget-replica r1'],
  },
  {
    rule: 'is given up then: the set has all that it wants',
    given: asked(toD, {
      nodes: [node('a'), lostNode('b', 60_000), node('c'), node('d', { zone: 'zone-c' })],
      replicas: [primary(0, 'a'), replica(2, 'c'), replacement()],
    }),
    expected: ['given-up'],
  },
  {
    rule: 'that nobody wants any more takes the new replica away',
    given: view({ nodes, replicas: [...three, replacement()], nextNumber: 4 }),
    expected: ['none', 'forget-replica r3'],
  },
  {
    rule: 'that nobody wants any more goes on when the new replica leads',
    given: view({
      nodes,
      replicas: [
        replica(0, 'a'),
        replica(1, 'b'),
        replica(2, 'c'),
        primary(3, 'd', { zone: 'zone-c', replaces: 'r2' }),
      ],
      recorded: { primary: 'r3', term: 2 },
      nextNumber: 4,
    }),
    expected: ['none', 'forget-replica r2'],
  },
  {
    rule: 'waits while its node rebuilds another replica',
    given: asked(toD, { nodes: [...nodes.slice(0, 3), node('d', { zone: 'zone-c', rebuilding: 1 })] }),
    expected: ['waits'],
  },
  { rule: 'waits while silence means nothing', given: asked(toD, { evidence: 'none' }), expected: ['waits'] },
  {
    rule: 'waits for a new template',
    given: asked(toD, { replicas: [primary(0, 'a'), replica(1, 'b', { outdated: true }), replica(2, 'c')] }),
    expected: ['waits', 'delete-pod r1'],
  },
  {
    rule: 'waits for an operator that has not heard all replicas yet',
    given: asked(toD, {
      listeningForMs: 2_000,
      replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', { beat: null })],
    }),
    expected: ['waits'],
  },
];

test.each(steps)('a move $rule', ({ given, expected }) => {
  expect(show(given)).toEqual(expected);
});

const message = (given: SetView): string => {
  const { move } = planSet(given);
  return move.type === 'refused' ? move.message : move.type;
};

describe('a move is refused', () => {
  test.each<[string, SetView, RegExp]>([
    [
      'to no node',
      asked(request('r2', 'node-x')),
      /^there is no node node-x; there are node-a, node-b, node-c, node-d$/,
    ],
    ['to where it is', asked(request('r2', 'node-c')), /^r2 is on node-c already$/],
    ['of no replica', asked(request('r7', 'node-d')), /^there is no replica r7; there are r0, r1, r2$/],
    ['to a node that holds another', asked(request('r2', 'node-b')), /^node node-b holds r1 of the same shard/],
    [
      'to a cordoned node',
      asked(toD, { nodes: [...nodes.slice(0, 3), cordoned('d', 1)] }),
      /takes no pods: it is cordoned, drained or tainted/,
    ],
    [
      'to a lost node',
      asked(toD, { nodes: [...nodes.slice(0, 3), lostNode('d', 1)] }),
      /takes no pods: it is not ready/,
    ],
    [
      'to a zone that holds one',
      asked(request('r1', 'node-d')),
      /is in zone zone-c, which holds another replica.*Choose a node of zone zone-b/,
    ],
    ['without a node to go to', asked(request('r1', null)), /^no other usable node can hold r1/],
    [
      'of a set without a primary',
      asked(toD, { replicas: three.map((one) => ({ ...one, beat: beat('halted') })) }),
      /not healthy: it has no primary/,
    ],
    [
      'of a set that rebuilds',
      asked(toD, { replicas: [primary(0, 'a'), replica(1, 'b', rebuilding), replica(2, 'c')] }),
      /not healthy: r1 has not caught up/,
    ],
    ['of a set with too few', asked(toD, { desired: 4 }), /not healthy: it has 3 replicas and is to have 4/],
  ])('%s', (_, given, expected) => {
    expect(message(given)).toMatch(expected);
  });

  it('but not from a closed node to a worse zone: it has to go somewhere', () => {
    const closed = [node('a'), cordoned('b', 1), node('c'), node('d', { zone: 'zone-c' })];
    expect(show(asked(request('r1', null), { nodes: closed }))).toEqual(['begins', 'create r3 on node-d for r1']);
  });
});

describe('what the fleet asks of a set for balance', () => {
  const improvement = { type: 'move', pod: 'r2', to: 'node-d', why: 'node-c holds 61 % of the bytes' } as const;

  it('is written down as a wish for a move, where it is possible', () => {
    expect(planSet(view({ nodes, improvement })).actions).toEqual([{ ...improvement, type: 'request-move' }]);
  });

  it('is not when it is impossible meanwhile, or somebody asked for another', () => {
    expect(planSet(view({ nodes: nodes.slice(0, 3), improvement })).actions).toEqual([]);
    expect(show(asked(request('r2', 'node-x'), { improvement }))).toEqual(['refused NoSuchNode']);
  });
});

describe('a move, whatever the situation', () => {
  it('makes no replica unless all of the set are well, and never spreads it worse over zones', () => {
    fc.assert(
      fc.property(anyView, (given) => {
        const { actions, move } = planSet(given);
        const made = actions.find((action) => action.type === 'create-replica');
        if (made?.replaces === undefined) return;
        expect(move.type).toBe('begins');
        expect(given.replicas.length).toBe(given.desired);
        expect(given.evidence).toBe('sound');
        const old = given.replicas.find(({ pod }) => pod === made.replaces);
        const zone = given.nodes.find(({ name }) => name === made.node)?.zone ?? '';
        const after = given.replicas.map((one) => (one === old ? { zone } : one));
        const isClosed = given.nodes.find(({ name }) => name === old?.node)?.usable !== true;
        if (!isClosed) expect(zoneCost(after)).toBeLessThanOrEqual(zoneCost(given.replicas));
      }),
      { numRuns: 2000 },
    );
  });
});
