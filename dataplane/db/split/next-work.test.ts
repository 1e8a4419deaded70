import { expect, test } from 'vitest';
import { everything, firstRange, type KeyRange } from '../store/key-range.ts';
import type { IntakeNote } from './intake-note.ts';
import { nextWork, type Standing } from './next-work.ts';

const splitFrom = { shard: 'old', at: 'm' };
const intake: IntakeNote = { from: 'older', at: 'm', epoch: 1, phase: 'snapshot' };
const idle: Standing = { range: everything, intake: null, splitFrom: null, mergeFrom: null };
const after = (epoch: number): KeyRange => ({ ...firstRange({ start: 'm', end: '' }), epoch });

test.each<[string, Standing, string]>([
  ['a shard as any other', idle, 'nothing'],
  ['a shard whose directory entry is not known', { ...idle, range: null }, 'nothing'],
  ['a new one', { ...idle, range: null, intake: null, splitFrom }, 'begin'],
  ['one that has begun', { ...idle, range: after(1), intake, splitFrom }, 'step'],
  ['one that has begun, and the directory says nothing', { ...idle, range: after(1), intake, splitFrom: null }, 'step'],
  ['one that is ready', { ...idle, range: after(1), intake: null, splitFrom }, 'nothing'],
  ['one that has keys of its own', { ...idle, splitFrom }, 'refused'],
])('%s: %#', (_, standing, kind) => {
  expect(nextWork(standing).kind).toBe(kind);
});

test('the source is the one that the log names', () => {
  expect(nextWork({ ...idle, range: after(1), intake, splitFrom })).toEqual({ kind: 'step', from: 'older' });
});
