import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { S3Fifo } from './s3-fifo.ts';

const capacity = 1000;

type Step =
  | { readonly kind: 'set'; readonly key: string; readonly cost: number }
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'reserve'; readonly bytes: number }
  | { readonly kind: 'release' }
  | { readonly kind: 'resize'; readonly bytes: number };

const key = fc.nat(40).map((n) => `key-${n}`);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('set' as const), key, cost: fc.integer({ min: 1, max: 400 }) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('get' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reserve' as const), bytes: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('resize' as const), bytes: fc.integer({ min: 600, max: 3000 }) }),
  },
);

/** What a cache of any policy must do: remember nothing that was not put in, and account for what it holds. */
class Model {
  readonly values = new Map<string, { version: number; cost: number }>();
  reserved: number[] = [];

  get reservedBytes(): number {
    return this.reserved.reduce((sum, bytes) => sum + bytes, 0);
  }

  get storedBytes(): number {
    return [...this.values.values()].reduce((sum, { cost }) => sum + cost, 0);
  }
}

type Apply<K extends Step['kind']> = (
  cache: S3Fifo<number>,
  model: Model,
  what: Extract<Step, { kind: K }>,
  version: number,
) => void;

const look: Apply<'get'> = (cache, model, { key }) => {
  expect(cache.get(key)).toBe(model.values.get(key)?.version);
};

const steps: { readonly [K in Step['kind']]: Apply<K> } = {
  set: (cache, model, { key, cost }, version) => {
    if (cache.set(key, version, cost)) model.values.set(key, { version, cost });
  },
  get: look,
  delete: (cache, model, { key }) => {
    const held = model.values.has(key);
    expect(cache.delete(key)).toBe(held);
  },
  reserve: (cache, model, { bytes }) => {
    if (cache.reserve(bytes)) model.reserved.push(bytes);
  },
  release: (cache, model) => cache.release(model.reserved.pop() ?? 0),
  resize: (cache, model, { bytes }) => {
    if (bytes >= model.reservedBytes) cache.resize(bytes);
  },
};

const apply = (cache: S3Fifo<number>, model: Model, what: Step, version: number): void =>
  (steps[what.kind] as Apply<Step['kind']>)(cache, model, what, version);

describe('S3-FIFO by bytes', () => {
  it('holds what it was given, says what it lets go, and never exceeds its capacity', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (sequence) => {
        const model = new Model();
        const cache = new S3Fifo<number>(capacity, (held) => {
          expect(model.values.has(held.key)).toBe(true);
          model.values.delete(held.key);
        });
        sequence.forEach((what, version) => {
          apply(cache, model, what, version);
          expect(cache.usedBytes).toBeLessThanOrEqual(cache.capacity);
          expect(cache.usedBytes).toBeGreaterThanOrEqual(model.storedBytes + model.reservedBytes);
          expect(cache.storedBytes).toBe(model.storedBytes);
          expect(cache.size).toBe(model.values.size);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('refuses an object larger than everything, and keeps what it has', () => {
    const cache = new S3Fifo<number>(100);
    cache.set('a', 1, 50);
    expect(cache.set('b', 2, 101)).toBeUndefined();
    expect(cache.get('a')).toBe(1);
  });

  it('lets go of objects used once before those used again', () => {
    const cache = new S3Fifo<number>(1000);
    for (let i = 0; i < 5; i++) cache.set(`popular-${i}`, i, 10);
    for (let round = 0; round < 2; round++) for (let i = 0; i < 5; i++) cache.get(`popular-${i}`);
    for (let i = 0; i < 1000; i++) cache.set(`scan-${i}`, i, 10);
    for (let i = 0; i < 5; i++) expect(cache.peek(`popular-${i}`)).toBe(i);
  });

  it('takes back a key that it remembers for good', () => {
    const cache = new S3Fifo<number>(100_000);
    for (let i = 0; i < 100; i++) cache.set(`first-${i}`, i, 1000);
    cache.set('pushes-out', 0, 1000);
    expect(cache.peek('first-0')).toBeUndefined();
    cache.set('first-0', 7, 1000);
    for (let i = 0; i < 95; i++) cache.set(`scan-${i}`, i, 1000);
    expect(cache.peek('first-0')).toBe(7);
  });

  it('keeps a larger share of a skewed load than first in, first out', () => {
    const random = pseudoRandom(42);
    const requests = Array.from({ length: 60_000 }, () => `k${Math.floor(10_000 * random() ** 4)}`);
    const cache = new S3Fifo<number>(300 * 100);
    const fifo = new Map<string, number>();
    let hits = 0;
    let fifoHits = 0;
    for (const request of requests) {
      if (cache.get(request) === undefined) cache.set(request, 1, 100);
      else hits++;
      if (fifo.has(request)) fifoHits++;
      else {
        if (fifo.size >= 300) fifo.delete(fifo.keys().next().value as string);
        fifo.set(request, 1);
      }
    }
    expect(hits).toBeGreaterThan(fifoHits);
  });
});

/** Mulberry32: the same numbers every time. */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
