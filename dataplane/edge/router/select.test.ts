import { describe, expect, it } from 'vitest';
import { type Candidate, hysteresis, loadCap, selectEdges, type SelectionInput } from './select.ts';

const places = { frankfurt: [50.1, 8.7], paris: [48.9, 2.4], tokyo: [35.7, 139.7] } as const;
type Name = keyof typeof places;

const used = (share: number) => ({
  mbitPerSecond: 1000 * share,
  connections: 0,
  requestsPerSecond: 1000,
  hitRate: 0.5,
});

const candidate = (name: Name, overrides: Partial<Candidate> = {}): Candidate => ({
  name,
  draining: false,
  health: 'alive',
  place: { latitude: places[name][0], longitude: places[name][1] },
  capacity: { bandwidthMbit: 1000, storageBytes: 1e12, connections: 10_000 },
  load: used(0),
  measuredMs: undefined,
  priority: 5,
  ...overrides,
});

const munich = { latitude: 48.1, longitude: 11.6 };

const select = (candidates: readonly Candidate[], overrides: Partial<SelectionInput> = {}) =>
  selectEdges({
    candidates,
    client: munich,
    strategy: 'geo-score',
    previous: undefined,
    key: 'k',
    turn: 0,
    ...overrides,
  });

const all = (overrides: Partial<Record<Name, Partial<Candidate>>> = {}): Candidate[] =>
  (Object.keys(places) as Name[]).map((name) => candidate(name, overrides[name]));

describe('health gate', () => {
  it.each([
    ['the nearest healthy edge comes first', {}, ['frankfurt', 'paris', 'tokyo']],
    ['a draining edge gets nobody', { frankfurt: { draining: true } }, ['paris', 'tokyo']],
    ['a silent edge is skipped', { frankfurt: { health: 'silent' } }, ['paris', 'tokyo']],
    ['an unreachable edge is skipped', { frankfurt: { health: 'unreachable' } }, ['paris', 'tokyo']],
    ['an edge without pods is skipped', { frankfurt: { health: 'none' } }, ['paris', 'tokyo']],
  ] as [string, Partial<Record<Name, Partial<Candidate>>>, string[]][])('%s', (_, overrides, order) => {
    expect(select(all(overrides)).order).toEqual(order);
  });

  it('takes the silence of all edges for its own deafness', () => {
    const silent = { health: 'silent' } as const;
    expect(select(all({ frankfurt: silent, paris: silent, tokyo: silent })).order).toEqual([
      'frankfurt',
      'paris',
      'tokyo',
    ]);
  });

  it('has nobody to choose when all are dead', () => {
    const dead = { health: 'unreachable' } as const;
    const decision = select(all({ frankfurt: dead, paris: dead, tokyo: dead }));
    expect(decision).toMatchObject({ order: [], reason: 'no edge can take requests' });
  });
});

describe('load cap', () => {
  it.each([
    [[0, 0, 0], 0.5],
    [[0.6, 0.6, 0.6], 0.75],
    [[0.9, 0.9], 1],
    [[], 1],
  ])('of utilisations %j is %d', (utilisations, cap) => {
    expect(loadCap(utilisations)).toBeCloseTo(cap);
  });

  it('sends a continent on when its edge is full, and comes to it last', () => {
    const decision = select(all({ frankfurt: { load: used(0.9) } }));
    expect(decision.order).toEqual(['paris', 'tokyo', 'frankfurt']);
    expect(decision.candidates[0]?.gate).toBe('over-load-cap');
  });

  it('shuts nobody out when all are equally full', () => {
    const full = { load: used(0.95) };
    expect(select(all({ frankfurt: full, paris: full, tokyo: full })).order[0]).toBe('frankfurt');
  });
});

describe('hysteresis', () => {
  const twins = (a: number, b: number) => [
    candidate('frankfurt', { load: { ...used(0), hitRate: a } }),
    candidate('paris', { place: { latitude: 50.1, longitude: 8.7 }, load: { ...used(0), hitRate: b } }),
  ];

  it('keeps the last edge while the best is not clearly better', () => {
    const decision = select(twins(0.6, 0.5), { previous: 'paris' });
    expect(decision.order).toEqual(['paris', 'frankfurt']);
    expect(decision.reason).toContain('not better by');
  });

  it(`changes for one that is better by ${hysteresis}`, () => {
    expect(select(twins(1, 0.4), { previous: 'paris' }).order).toEqual(['frankfurt', 'paris']);
  });

  it('never keeps an edge that fails the gate', () => {
    expect(select(all({ paris: { health: 'silent' } }), { previous: 'paris' }).order).toEqual(['frankfurt', 'tokyo']);
  });
});

describe('named strategies', () => {
  it('keeps an object at one edge for clients whose place is not known, whatever the scores are', () => {
    const chosen = (key: string, candidates: Candidate[]) => select(candidates, { client: undefined, key }).order[0];
    const busier = all().map((it) => ({ ...it, measuredMs: 40 }));
    const keys = Array.from({ length: 50 }, (_, i) => `http://site/${i}`);
    for (const key of keys) expect(chosen(key, busier)).toBe(chosen(key, all()));
    expect(new Set(keys.map((key) => chosen(key, all()))).size).toBe(all().length);
  });

  it('round-robin takes turns', () => {
    const firsts = [0, 1, 2, 3].map((turn) => select(all(), { strategy: 'round-robin', turn }).order[0]);
    expect(firsts).toEqual(['frankfurt', 'paris', 'tokyo', 'frankfurt']);
  });

  it('least-load goes by use alone', () => {
    const loads = { frankfurt: { load: used(0.3) }, paris: { load: used(0.2) }, tokyo: { load: used(0.1) } };
    expect(select(all(loads), { strategy: 'least-load' }).order).toEqual(['tokyo', 'paris', 'frankfurt']);
  });
});
