import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeNote } from '../../two-phase/note.ts';
import { applyEffects, ignoring } from '../../store/effects.ts';
import { runTransactions, type Run } from '../testing/transaction-run.ts';
import { findCut } from './cut.ts';
import { inOrderOfTime } from './merge.ts';
import { settle } from './settle.ts';
import type { Cut } from './transaction-history.ts';

async function* stream<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

const cutOf = (run: Run, at: number, remembered?: number): Promise<Cut | null> => {
  const places = inOrderOfTime(new Map([...run.logs].map(([shard, log]) => [shard, stream(log)])));
  return findCut({ shards: run.bounds, places, at, ...(remembered === undefined ? {} : { remembered }) });
};

/** Keys that an operation puts. */
const putsOf = (operation: Buffer): string[] => {
  const keys: string[] = [];
  applyEffects(operation, { ...ignoring, put: (key) => void keys.push(key) });
  return keys;
};

/** Transactions that are in some shards and not in others once a cut was settled. */
const torn = (run: Run, cut: Cut): string[] => {
  const settlements = settle(new Map([...cut].map(([shard, seq]) => [shard, run.stateAt(shard, seq).notes])));
  const done = new Map(
    [...cut].map(([shard, seq]) => {
      const carriedOut = (settlements.get(shard)?.effects ?? []).flatMap(putsOf);
      return [shard, new Set([...run.stateAt(shard, seq).done, ...carriedOut])] as const;
    }),
  );
  return [...run.participants].flatMap(([id, participants]) => {
    const count = participants.filter((shard) => done.get(shard)?.has(id)).length;
    return count === 0 || count === participants.length ? [] : [id];
  });
};

const runs = fc.record({
  seed: fc.nat(),
  shards: fc.integer({ min: 2, max: 4 }),
  transactions: fc.integer({ min: 5, max: 60 }),
  maxSkewMs: fc.constantFrom(1, 5, 40, 400),
});

test('at the end of a backup no transaction is half there, whatever the clocks say', async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(runs, async (options) => {
      const run = runTransactions(options);
      const cut = await cutOf(run, Infinity);
      if (cut === null) return;
      found++;
      expect(torn(run, cut)).toEqual([]);
      for (const [shard, seq] of cut) expect(seq).toBeLessThanOrEqual(run.bounds.get(shard)?.ceiling ?? 0);
    }),
    { numRuns: 300 },
  );
  expect(found).toBeGreaterThan(150);
});

test('at any moment no transaction is half there, and nothing is later than the moment', async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(runs, fc.double({ min: 0, max: 1, noNaN: true }), async (options, part) => {
      const run = runTransactions(options);
      const at = Math.floor(run.from + part * Math.max(0, run.through - run.from));
      const cut = await cutOf(run, at);
      if (cut === null) return;
      found++;
      expect(torn(run, cut)).toEqual([]);
      for (const [shard, seq] of cut) {
        expect(seq).toBeGreaterThanOrEqual(run.bounds.get(shard)?.floor ?? 0);
        const last = run.logs.get(shard)?.find(({ position }) => position.seq === seq);
        if (last && seq > (run.bounds.get(shard)?.floor ?? 0)) expect(last.position.time).toBeLessThanOrEqual(at);
      }
    }),
    { numRuns: 400 },
  );
  expect(found).toBeGreaterThan(150);
});

test('with little memory it is the same cut, or none', async () => {
  await fc.assert(
    fc.asyncProperty(runs, fc.integer({ min: 1, max: 8 }), async (options, remembered) => {
      const run = runTransactions(options);
      const cut = await cutOf(run, Infinity, remembered);
      if (cut !== null) expect(torn(run, cut)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

/** Each log by its own clock. */
const byClocks = (run: Run, at: number): Cut =>
  new Map(
    [...run.bounds].map(([shard, { position }]) => {
      const within = (run.logs.get(shard) ?? []).filter(({ position: { time } }) => time <= at);
      return [shard, within.at(-1)?.position.seq ?? position];
    }),
  );

test('logs that are cut as their clocks say would tear transactions: the runs do show that', () => {
  let tornRuns = 0;
  for (let seed = 0; seed < 100; seed++) {
    const run = runTransactions({ seed, shards: 3, transactions: 40, maxSkewMs: 40 });
    if (torn(run, byClocks(run, Math.floor((run.from + run.through) / 2))).length > 0) tornRuns++;
  }
  expect(tornRuns).toBeGreaterThan(20);
});

test('the notes of the run are those of the database', () => {
  const run = runTransactions({ seed: 1, shards: 2, transactions: 10, maxSkewMs: 5 });
  const notes = [...run.bounds].flatMap(([shard, { ceiling }]) => [...run.stateAt(shard, ceiling).notes.values()]);
  for (const note of notes) expect(['prepared', 'committed']).toContain(decodeNote(note).state);
});
