import { expect, test } from 'vitest';
import { Fleet } from '../fleet.ts';
import { planSet } from '../replicas/plan-set.ts';
import { beat, node, primary, replica, view } from '../replicas/testing.ts';
import type { SetView } from '../replicas/view.ts';
import { occupancyOf } from './occupancy.ts';
import type { ReplicaSetPlan } from './plan.ts';

const nodes = ['a', 'b', 'c'];

/** What a set looks like that `leader` leads, given what all sets occupy. */
const viewOf = (fleet: Fleet, leader: string, over: Partial<SetView> = {}): SetView => {
  const loads = fleet.loads();
  return view({
    replicas: nodes.map((letter, i) => (letter === leader ? primary(i, letter) : replica(i, letter))),
    nodes: nodes.map((letter) => node(letter, loads.get(`node-${letter}`) ?? {})),
    recorded: { primary: `r${nodes.indexOf(leader)}`, term: 1 },
    ...over,
  });
};

const planOf = (seen: SetView): ReplicaSetPlan => {
  const set = planSet(seen);
  return { actions: set.actions, entry: null, status: {} as never, conditions: [], set };
};

/** Every set plans once, in one go, before any of their switchovers is done; then all are done. */
const round = (fleet: Fleet, leaders: readonly string[]): string[] =>
  leaders.map((leader, i) => {
    const seen = viewOf(fleet, leader);
    const plan = planOf(seen);
    fleet.note(`set-${i}`, occupancyOf(seen, plan));
    const move = plan.actions.find(({ type }) => type === 'switch-over');
    return move && 'pod' in move ? (nodes[Number(move.pod.slice(1))] ?? '') : leader;
  });

test.each([3, 6, 9])('%i sets led on one node, which all plan at once, are spread and then stay', (count) => {
  const fleet = new Fleet();
  const start = Array.from({ length: count }, () => 'a');
  start.forEach((leader, i) => {
    const seen = viewOf(fleet, leader, { replicas: [primary(0, 'a', { beat: beat('primary', { stateForMs: 0 }) })] });
    fleet.note(`set-${i}`, occupancyOf(seen, { ...planOf(seen), actions: [] }));
  });
  const spread = round(fleet, start);
  const led = nodes.map((letter) => spread.filter((leader) => leader === letter).length);
  expect(Math.max(...led) - Math.min(...led)).toBeLessThanOrEqual(1);
  expect(round(fleet, spread)).toEqual(spread);
});

test('while a replica is being asked to lead, the set counts for its node', () => {
  const fleet = new Fleet();
  const asked = viewOf(fleet, 'a', { inFlight: { type: 'switch-over', pod: 'r2', backingOff: false } });
  expect(occupancyOf(asked, planOf(asked)).primaryNode).toBe('node-c');
});
