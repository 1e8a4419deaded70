import { describe, expect, it } from 'vitest';
import type { EdgeNodeEntry } from '../../../contract/directory.ts';
import type { Heartbeat } from '../../../contract/heartbeat.ts';
import { defaultPolicies } from '../policy/content-policy.ts';
import { Fleet } from './fleet.ts';

const entry = (pods: readonly string[], overrides: Partial<EdgeNodeEntry> = {}): EdgeNodeEntry => ({
  kind: 'edge',
  namespace: 'test',
  name: 'frankfurt',
  location: { continent: '', country: 'DE', region: '', city: '', timeZone: '' },
  latitude: 50,
  longitude: 8,
  capacity: { bandwidthMbit: 100, storageBytes: 1000, connections: 10 },
  cache: { memoryBytes: 1, defaultTtl: false, policies: [...defaultPolicies] },
  origins: [],
  draining: false,
  endpoints: pods.map((pod) => ({ pod, url: `http://${pod}:8081` })),
  ...overrides,
});

/** A fleet of one edge whose pods are heard or not. */
function fleetOf(first: EdgeNodeEntry, heardPods: readonly string[]) {
  const entries = new Map([[first.name, first]]);
  const heard = new Set(heardPods);
  const beat = (pod: string): Heartbeat => ({
    pod,
    role: 'edge',
    node: 'n',
    resource: 'frankfurt',
    incarnation: '1',
    at: 0,
    load: {},
    edge: {
      requestsPerSecond: pod === 'a' ? 30 : 10,
      mbitPerSecond: 5,
      connections: 2,
      hitRate: pod === 'a' ? 1 : 0,
      storedBytes: 0,
    },
  });
  const heartbeats = {
    get: (pod: string) => (heard.has(pod) ? { beat: beat(pod), receivedAt: 0 } : undefined),
    alive: (pod: string) => heard.has(pod),
  };
  const fleet = new Fleet(() => entries, heartbeats);
  const change = (next: EdgeNodeEntry): void => {
    entries.set(next.name, next);
    fleet.follow();
  };
  return { fleet, heard, entries, change };
}

const pods = (fleet: Fleet): string[] => fleet.endpoints('frankfurt', 1000).map(({ pod }) => pod);

describe('endpoints', () => {
  it('are those that are heard, else those that did not just fail', () => {
    const { fleet, heard } = fleetOf(entry(['a', 'b']), ['a']);
    expect(pods(fleet)).toEqual(['a']);
    heard.clear();
    expect(pods(fleet)).toEqual(['a', 'b']);
    fleet.failed('a', 1000);
    expect(pods(fleet)).toEqual(['b']);
    fleet.answered('a', 5);
    expect(pods(fleet)).toEqual(['a', 'b']);
  });

  it('stay when the directory drops them while they are heard', () => {
    const { fleet, change } = fleetOf(entry(['a', 'b']), ['a', 'b']);
    change(entry([]));
    expect(pods(fleet)).toEqual(['a', 'b']);
    expect(fleet.candidates('/', 1000)[0]?.health).toBe('alive');
    expect(fleet.allEndpoints().map(({ pod }) => pod)).toEqual(['a', 'b']);
  });

  it('go with their edge', () => {
    const { fleet, entries } = fleetOf(entry(['a']), ['a']);
    entries.clear();
    fleet.follow();
    expect(fleet.allEndpoints()).toEqual([]);
    entries.set('frankfurt', entry([]));
    expect(pods(fleet)).toEqual([]);
  });
});

describe('candidates', () => {
  it('add up what their pods carry and can carry', () => {
    const { fleet } = fleetOf(entry(['a', 'b']), ['a', 'b']);
    const [candidate] = fleet.candidates('/x.png', 1000);
    expect(candidate).toMatchObject({
      health: 'alive',
      priority: 8,
      capacity: { bandwidthMbit: 200, storageBytes: 2000, connections: 20 },
      load: { requestsPerSecond: 40, mbitPerSecond: 10, connections: 4, hitRate: 0.75 },
    });
  });

  it.each([
    ['none', [], []],
    ['silent', ['a'], []],
    ['alive', ['a', 'b'], ['b']],
  ] as const)('are %s with pods %j of which %j are heard', (health, all, heard) => {
    const { fleet } = fleetOf(entry(all), heard);
    expect(fleet.candidates('/', 1000)[0]?.health).toBe(health);
  });

  it('are unreachable when every pod just failed', () => {
    const { fleet } = fleetOf(entry(['a']), ['a']);
    fleet.failed('a', 900);
    expect(fleet.candidates('/', 1000)[0]?.health).toBe('unreachable');
    expect(fleet.candidates('/', 2000)[0]?.health).toBe('alive');
  });

  it('smooth what was measured', () => {
    const { fleet } = fleetOf(entry(['a']), ['a']);
    fleet.answered('a', 10);
    fleet.answered('a', 110);
    expect(fleet.candidates('/', 1000)[0]?.measuredMs).toBeCloseTo(30);
  });
});
