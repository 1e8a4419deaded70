import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SetAction } from './action.ts';
import { planSet } from './plan-set.ts';
import { beat, node, replica } from './testing.ts';
import type { MoveRequest, NodeView, ReplicaView, SetView } from './view.ts';

/** A world in which every action succeeds at once, for a few sets that share nodes: does it come to rest? */
interface World {
  readonly nodes: readonly { readonly name: string; readonly zone: string; readonly usable: boolean }[];
  readonly sets: {
    desired: number;
    next: number;
    term: number;
    leader: string | null;
    replicas: ReplicaView[];
    move?: MoveRequest | null;
    /** How the last move ended. */
    outcome?: string;
  }[];
}

const nodeViews = (world: World): NodeView[] =>
  world.nodes.map(({ name, zone, usable }) => {
    const here = world.sets.map((set) => set.replicas.filter((one) => one.node === name));
    const primaries = here.flat().filter(({ beat: heard }) => heard?.state === 'primary').length;
    const gone = usable ? {} : { usable, lost: true, unusableForMs: 60_000, steadyForMs: 0 };
    return node('x', { name, zone, replicas: here.flat().length, primaries, rebuilding: 0, ...gone });
  });

const viewOf = (world: World, set: World['sets'][number]): SetView => ({
  desired: set.desired,
  replicas: set.replicas.map((one) => {
    const usable = world.nodes.find(({ name }) => name === one.node)?.usable === true;
    const state = one.pod === set.leader ? ('primary' as const) : ('following' as const);
    const heard = beat(state, { term: set.term, ...(usable ? {} : { ageMs: 60_000 }) });
    return { ...one, beat: heard, labelledPrimary: one.pod === set.leader };
  }),
  nodes: nodeViews(world),
  nextNumber: set.next,
  recorded: { primary: set.leader, term: set.term },
  settling: false,
  evidence: 'sound',
  listeningForMs: 3_600_000,
  inFlight: null,
  elections: [],
  rollOutWaitsFor: null,
  move: set.move ?? null,
  improvement: null,
  suspectAfterMs: 1500,
  replaceAfterMs: 10_000,
});

type WorldSet = World['sets'][number];

const carryOut = (world: World, set: WorldSet, action: SetAction): void => {
  if (action.type === 'create-replica') {
    const zone = world.nodes.find(({ name }) => name === action.node)?.zone ?? '';
    set.replicas.push(replica(action.number, 'x', { node: action.node, zone, replaces: action.replaces ?? null }));
    set.next = action.number + 1;
  } else if (action.type === 'forget-replica') {
    set.replicas = set.replicas.filter(({ pod }) => pod !== action.pod);
  } else if (action.type === 'promote' || action.type === 'switch-over') {
    set.leader = action.pod;
    set.term = action.term;
  }
};

const ends = new Set(['moved', 'refused', 'given-up']);

/** Carries out one plan; true when it did anything. */
const step = (world: World, set: WorldSet): boolean => {
  const { actions, move } = planSet(viewOf(world, set));
  if (ends.has(move.type)) Object.assign(set, { move: null, outcome: move.type });
  for (const action of actions) {
    carryOut(world, set, action);
    set.replicas = set.replicas.map((one) => ({
      ...one,
      beat: beat(one.pod === set.leader ? 'primary' : 'following', { term: set.term }),
    }));
  }
  return actions.length > 0 || move.type !== 'none';
};

/** Plans of all sets in turn until none plans anything; the number of rounds. */
const settle = (world: World): number => {
  for (let round = 1; round <= 200; round++) {
    const busy = world.sets.map((set) => step(world, set));
    if (!busy.includes(true)) return round;
  }
  return Number.POSITIVE_INFINITY;
};

const anyWorld: fc.Arbitrary<World> = fc.record({
  nodes: fc
    .array(fc.constantFrom('x', 'y', 'z'), { minLength: 3, maxLength: 6 })
    .map((zones) => zones.map((zone, index) => ({ name: `node-${index}`, zone, usable: true }))),
  sets: fc
    .array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 6 })
    .map((sizes) => sizes.map((desired) => ({ desired, next: 0, term: 0, leader: null, replicas: [] }))),
});

const assertWellPlaced = (world: World): void => {
  for (const set of world.sets) {
    const usable = world.nodes.filter((one) => one.usable);
    const good = set.replicas.filter(({ node: name }) => usable.some((one) => one.name === name));
    expect(new Set(set.replicas.map((one) => one.node)).size).toBe(set.replicas.length);
    // a set of one has no peer to rebuild from: it waits for its node
    if (set.desired === 1 && good.length === 0) continue;
    expect(good.length).toBe(Math.min(set.desired, usable.length));
    expect(good.map(({ pod }) => pod)).toContain(set.leader);
  }
};

describe('replica sets that share nodes', () => {
  it('come to rest, each with its replicas on different nodes and a primary', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        expect(settle(world)).toBeLessThan(200);
        assertWellPlaced(world);
      }),
    );
  });

  it('come to rest again after a node is lost, and after it is back', () => {
    fc.assert(
      fc.property(anyWorld, fc.nat(), (world, pick) => {
        settle(world);
        const index = pick % world.nodes.length;
        const nodesWith = (usable: boolean) => world.nodes.map((one, i) => (i === index ? { ...one, usable } : one));
        const lost = { ...world, nodes: nodesWith(false) };
        expect(settle(lost)).toBeLessThan(200);
        assertWellPlaced(lost);
        const back = { ...world, nodes: nodesWith(true) };
        expect(settle(back)).toBeLessThan(200);
        assertWellPlaced(back);
      }),
    );
  });

  /** Asks for a move of one replica of the first set. */
  const askForMove = (world: World, pick: number): World['sets'][number] => {
    const [set] = world.sets;
    if (set === undefined) throw new Error('a world without sets');
    const replicas = set.replicas.map(({ pod }) => pod);
    const name = replicas[pick % replicas.length] ?? '';
    set.move = { replica: name, to: null, why: '', automatic: false, replacement: null };
    return set;
  };

  it('come to rest again after a move, of which no step leaves fewer replicas than desired', () => {
    fc.assert(
      fc.property(anyWorld, fc.nat(), (world, pick) => {
        settle(world);
        const set = askForMove(world, pick);
        const name = set.move?.replica;
        for (let round = 0; round < 20; round++) {
          step(world, set);
          expect(set.replicas.length).toBeGreaterThanOrEqual(Math.min(set.desired, world.nodes.length));
        }
        expect(set.move).toBeNull();
        expect(set.replicas.some(({ pod }) => pod === name)).toBe(set.outcome !== 'moved');
        expect(settle(world)).toBeLessThan(200);
        assertWellPlaced(world);
      }),
    );
  });

  it('come to rest again when any node is lost in the middle of a move', () => {
    fc.assert(
      fc.property(anyWorld, fc.nat(), fc.nat(), fc.nat({ max: 4 }), (world, pick, lost, steps) => {
        settle(world);
        const set = askForMove(world, pick);
        for (let i = 0; i < steps; i++) step(world, set);
        const index = lost % world.nodes.length;
        const nodes = world.nodes.map((one, i) => (i === index ? { ...one, usable: false } : one));
        const after = { ...world, nodes };
        expect(settle(after)).toBeLessThan(200);
        assertWellPlaced(after);
      }),
    );
  });

  it('come to rest again after scaling', () => {
    fc.assert(
      fc.property(anyWorld, fc.integer({ min: 1, max: 3 }), (world, desired) => {
        settle(world);
        for (const set of world.sets) set.desired = desired;
        expect(settle(world)).toBeLessThan(200);
        for (const set of world.sets) expect(set.replicas.length).toBe(Math.min(desired, world.nodes.length));
      }),
    );
  });
});
