import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distanceKm, halfCircumferenceKm, parsePlace } from './geo.ts';
import { blendedLatencyMs, capacityTerm, type EdgeView, scoreEdge, utilisation, weights } from './score.ts';

const berlin = { latitude: 52.52, longitude: 13.405 };
const paris = { latitude: 48.8566, longitude: 2.3522 };

const edge = (overrides: Partial<EdgeView> = {}): EdgeView => ({
  place: berlin,
  capacity: { bandwidthMbit: 1000, storageBytes: 1e12, connections: 10_000 },
  load: { mbitPerSecond: 0, connections: 0, requestsPerSecond: 0, hitRate: 0 },
  measuredMs: undefined,
  priority: 5,
  ...overrides,
});

const place = fc.record({
  latitude: fc.double({ min: -90, max: 90, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
});
const positive = fc.double({ min: 0.001, max: 1e15, noNaN: true });
const anyEdge: fc.Arbitrary<EdgeView> = fc.record({
  place,
  capacity: fc.record({ bandwidthMbit: positive, storageBytes: positive, connections: positive }),
  load: fc.option(
    fc.record({
      mbitPerSecond: fc.double({ min: 0, max: 1e9, noNaN: true }),
      connections: fc.nat(),
      requestsPerSecond: fc.double({ min: 0, max: 1e9, noNaN: true }),
      hitRate: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { nil: undefined },
  ),
  measuredMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
  priority: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
});

describe('distance by haversine, R = 6371 km', () => {
  it.each([
    ['Berlin to Paris', berlin, paris, 878],
    ['nowhere', berlin, berlin, 0],
    ['pole to pole', { latitude: 90, longitude: 0 }, { latitude: -90, longitude: 77 }, 20_015],
    ['over the date line', { latitude: 0, longitude: 179 }, { latitude: 0, longitude: -179 }, 222],
  ])('%s', (...[, a, b, km]) => {
    expect(distanceKm(a, b)).toBeCloseTo(km, -0.5);
  });

  it('is symmetric and never more than half the circumference', () => {
    fc.assert(
      fc.property(place, place, (a, b) => {
        const km = distanceKm(a, b);
        expect(km).toBeGreaterThanOrEqual(0);
        expect(km).toBeLessThanOrEqual(halfCircumferenceKm + 1e-6);
        expect(distanceKm(b, a)).toBeCloseTo(km, 6);
      }),
    );
  });

  it.each([
    ['50.11,8.68', { latitude: 50.11, longitude: 8.68 }],
    [' -33.9 , 151 ', { latitude: -33.9, longitude: 151 }],
    ['91,0', undefined],
    ['0,181', undefined],
    ['1e1,2', undefined],
    ['Berlin', undefined],
    ['', undefined],
  ])('%j', (text, expected) => {
    expect(parsePlace(text)).toEqual(expected);
  });
});

describe('the score of the requirements, section 1', () => {
  it('has weights that sum to 1', () => {
    expect(Object.values(weights).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1);
    expect(weights).toEqual({ proximity: 0.3, latency: 0.3, capacity: 0.2, hitRate: 0.1, affinity: 0.1 });
  });

  it('is within 0..1, and so is each term, whatever an edge looks like', () => {
    fc.assert(
      fc.property(anyEdge, fc.option(place, { nil: undefined }), (view, client) => {
        const { total, terms } = scoreEdge(view, client);
        for (const value of [total, ...Object.values(terms)]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1 + 1e-12);
        }
      }),
    );
  });

  it('falls with distance, from 1 at 0 km, and never vanishes', () => {
    const at = (km: number): number =>
      scoreEdge(edge({ place: { latitude: (km / halfCircumferenceKm) * 180 - 90, longitude: 0 } }), {
        latitude: -90,
        longitude: 0,
      }).terms.proximity;
    expect(at(0)).toBe(1);
    expect(at(1000)).toBeCloseTo(0.5);
    expect(at(20_000)).toBeGreaterThan(0.04);
    for (let km = 0; km < 20_000; km += 500) expect(at(km + 500)).toBeLessThan(at(km));
  });

  it('falls as load rises, and rises with the hit rate and the priority', () => {
    const total = (overrides: Partial<EdgeView>): number => scoreEdge(edge(overrides), paris).total;
    const load = { mbitPerSecond: 0, connections: 0, requestsPerSecond: 10, hitRate: 0.5 };
    expect(total({ load: { ...load, mbitPerSecond: 500 } })).toBeLessThan(total({ load }));
    expect(total({ load: { ...load, connections: 5000 } })).toBeLessThan(total({ load }));
    expect(total({ load: { ...load, hitRate: 0.9 } })).toBeGreaterThan(total({ load }));
    expect(total({ priority: 9 })).toBeGreaterThan(total({ priority: 5 }));
    expect(total({ measuredMs: 500 })).toBeLessThan(total({ measuredMs: 5 }));
  });

  it('takes the mean of bandwidth/1000, storage/1000 GB and connections/10000, each at most 1', () => {
    expect(capacityTerm(edge())).toBeCloseTo(1);
    const small = { bandwidthMbit: 500, storageBytes: 5e11, connections: 5000 };
    expect(capacityTerm(edge({ capacity: small }))).toBeCloseTo(0.5);
    const huge = { bandwidthMbit: 1e6, storageBytes: 1e18, connections: 1e9 };
    expect(capacityTerm(edge({ capacity: huge }))).toBeCloseTo(1);
    expect(
      capacityTerm(edge({ load: { mbitPerSecond: 1000, connections: 10_000, requestsPerSecond: 1, hitRate: 0 } })),
    ).toBeCloseTo(1 / 3);
  });

  it('estimates 0.1 ms a km times 1.5 and blends in what was measured', () => {
    expect(blendedLatencyMs(1000, undefined)).toBeCloseTo(150);
    expect(blendedLatencyMs(1000, 50)).toBeCloseTo(100);
    expect(blendedLatencyMs(undefined, 50)).toBe(50);
    expect(blendedLatencyMs(undefined, undefined)).toBeUndefined();
  });

  it('holds nothing for or against an edge of which nothing is known', () => {
    const { terms } = scoreEdge(edge({ load: undefined, priority: undefined }), undefined);
    expect(terms).toMatchObject({ proximity: 0.5, latency: 0.5, hitRate: 0.5, affinity: 0.5 });
  });

  it('believes a hit rate the more, the more requests it is made of', () => {
    const term = (requestsPerSecond: number): number =>
      scoreEdge(edge({ load: { mbitPerSecond: 0, connections: 0, requestsPerSecond, hitRate: 0 } }), paris).terms
        .hitRate;
    expect(term(0)).toBe(0.5);
    expect(term(0.2)).toBeGreaterThan(0.45);
    expect(term(1000)).toBeLessThan(0.01);
  });

  it('judges use by the tightest limit', () => {
    const load = { mbitPerSecond: 900, connections: 100, requestsPerSecond: 1, hitRate: 0 };
    expect(utilisation(edge({ load }))).toBeCloseTo(0.9);
    expect(utilisation(edge({ load: undefined }))).toBe(0);
  });
});
