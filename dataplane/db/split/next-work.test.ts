import { expect, test } from 'vitest';
import { everything, firstRange, type KeyRange } from '../store/key-range.ts';
import type { IntakeNote } from './intake-note.ts';
import { anew, nextWork, type Standing } from './next-work.ts';

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

const below: KeyRange = { ...firstRange({ start: 'c', end: 'm' }), epoch: 4 };
const mergeFrom = { shard: 'upper', emptied: false };
const merging: IntakeNote = { from: 'upper', at: 'm', epoch: 6, merge: { since: 3 }, phase: 'snapshot' };

test.each<[string, Partial<Standing>, string]>([
  ['it has not begun', {}, 'merge'],
  ['a new half that is ready', { splitFrom }, 'merge'],
  ['its range is not known yet', { range: null }, 'nothing'],
  ['nothing is left at the upper one: it was done', { mergeFrom: { shard: 'upper', emptied: true } }, 'nothing'],
  ['it has begun', { intake: merging }, 'step'],
  [
    '… and the upper one has handed its keys over',
    { intake: merging, mergeFrom: { shard: 'upper', emptied: true } },
    'step',
  ],
  ['it was taken back', { intake: merging, mergeFrom: null }, 'give-up'],
  ['… for another one', { intake: merging, mergeFrom: { shard: 'other', emptied: false } }, 'give-up'],
  ['… too late', { intake: { ...merging, phase: 'open' }, mergeFrom: null }, 'step'],
  ['a split goes first', { intake, mergeFrom }, 'step'],
  ['it has no keys', { range: { ...below, end: 'c' } }, 'refused'],
  ['it has the highest keys', { range: { ...below, end: '' } }, 'refused'],
])('a shard that is to take over its upper neighbour: %s', (_, standing, kind) => {
  expect(nextWork({ ...idle, range: below, mergeFrom, ...standing }).kind).toBe(kind);
});

const { phase: _phase, ...assigned } = merging;

test.each<[string, readonly [IntakeNote, KeyRange | null], { at: string; epoch: number }, unknown]>([
  ['a split: the range is another one', [intake, null], { at: 'm', epoch: 3 }, { from: 'older', at: 'm', epoch: 3 }],
  ['a split: nothing has changed', [intake, null], { at: 'm', epoch: 1 }, null],
  ['a merge', [merging, { ...below, epoch: 5 }], { at: 'm', epoch: 4 }, { ...assigned, epoch: 7, merge: { since: 4 } }],
  [
    'a merge with one that is far ahead',
    [merging, below],
    { at: 'm', epoch: 9 },
    { ...assigned, epoch: 11, merge: { since: 9 } },
  ],
  ['a merge: nothing has changed', [merging, below], { at: 'm', epoch: 3 }, null],
  ['a merge: it begins elsewhere now', [merging, below], { at: 'n', epoch: 4 }, null],
  ['a merge: too many epochs', [merging, below], { at: 'm', epoch: 8190 }, null],
])('copied anew: %s', (_, [note, own], plan, expected) => {
  expect(anew(note, own, plan)).toEqual(expected);
});
