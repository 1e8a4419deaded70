import { describe, expect, it, test } from 'vitest';
import type { MoveStatus } from '../../crds/replica-set.ts';
import { Fleet } from '../fleet.ts';
import { planSet } from '../replicas/plan-set.ts';
import { beat, node, primary, replica, view } from '../replicas/testing.ts';
import type { SetView } from '../replicas/view.ts';
import { occupancyOf } from './occupancy.ts';
import type { ReplicaSetPlan } from './plan.ts';

const planOf = (seen: SetView, move?: Partial<MoveStatus>): ReplicaSetPlan => {
  const set = planSet(seen);
  return { actions: set.actions, entry: null, status: { ...(move && { move }) } as never, conditions: [], set };
};

const standing = (seen: SetView, move?: Partial<MoveStatus>) => occupancyOf(seen, planOf(seen, move)).standing;

const moving = { replica: 'r2', to: null, why: '', automatic: false, replacement: null };

test('while a replica is being asked to lead, the set counts for its node', () => {
  const asked = view({ inFlight: { type: 'switch-over', pod: 'r2', backingOff: false } });
  expect(occupancyOf(asked, planOf(asked)).primaryNode).toBe('node-c');
});

test('what all sets occupy is known by node', () => {
  const fleet = new Fleet();
  for (const set of ['one', 'two']) fleet.note(set, occupancyOf(view(), planOf(view())));
  expect(fleet.loads().get('node-a')).toEqual({ replicas: 2, primaries: 2, rebuilding: 0 });
  fleet.forget('one');
  expect(fleet.loads().get('node-b')).toEqual({ replicas: 1, primaries: 0, rebuilding: 0 });
});

describe('how a set stands for balance', () => {
  it('is settled when all is as desired and nothing goes on', () => {
    expect(standing(view())).toMatchObject({ settled: true, leader: 'r0', move: null, lastMove: null });
    expect(standing(view({ desired: 4 }))).toMatchObject({ settled: false });
    expect(standing(view({ evidence: 'none' }))).toMatchObject({ settled: false });
    const behind = [primary(0, 'a'), replica(1, 'b'), replica(2, 'c', { beat: beat('rebuilding') })];
    expect(standing(view({ replicas: behind }))).toMatchObject({ settled: false });
  });

  it('counts a move that goes on as done', () => {
    const nodes = [node('a'), node('b'), node('c'), node('d')];
    const move = { replica: 'r2', to: 'node-d', phase: 'Copying', bytes: 7 } as const;
    const asked = view({ nodes, move: { ...moving, to: 'node-d' } });
    const where = (seen: SetView) => standing(seen, move)?.seats.map((seat) => `${seat.pod} ${seat.node}`);
    expect(where(asked)).toEqual(['r0 node-a', 'r1 node-b', 'r2 node-d']);
    const begun = { ...asked, replicas: [...asked.replicas, replica(3, 'd', { replaces: 'r2' })] };
    expect(where(begun)).toEqual(['r0 node-a', 'r1 node-b', 'r3 node-d']);
    expect(standing(begun, move)).toMatchObject({ settled: false, move: { bytes: 7 } });
  });

  test.each<[string, Partial<MoveStatus>, number | null]>([
    ['moved', { phase: 'Moved', forBalance: false, bytes: 7 }, 7],
    ['was given up', { phase: 'GivenUp', forBalance: true, bytes: 7 }, 7],
    ['was refused to a person', { phase: 'Refused', forBalance: false, bytes: 7 }, null],
    ['was refused to the operator', { phase: 'Refused', forBalance: true, bytes: 7 }, 0],
  ])('remembers the bytes of a move that %s', (_, move, bytes) => {
    const ended = '2026-11-30T10:00:00Z';
    const last = bytes === null ? null : { ended: Date.parse(ended), bytes };
    expect(standing(view(), { replica: 'r9', ...move, ended })).toMatchObject({ lastMove: last });
  });
});
