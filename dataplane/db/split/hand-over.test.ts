import { expect, test } from 'vitest';
import { everything, firstRange, maxEpoch } from '../store/key-range.ts';
import { judgeBar, judgeHandOver, type Handed, type HandOver, type SourceFacts } from './hand-over.ts';

const asked: HandOver = { at: 'm', to: 'new', epoch: 1 };
const source: SourceFacts = { range: everything, handed: null, term: 4, time: 1_000 };
const handed: Handed = { to: 'new', range: { start: 'm', end: '', epoch: 1, terms: 4, time: 1_000 } };

test('keys from the border on go to the new shard, with what it has to stay above', () => {
  expect(judgeHandOver(source, asked)).toEqual({
    kind: 'hand-over',
    keeps: { start: '', end: 'm', epoch: 1, terms: 0, time: 0 },
    handed,
  });
  const older = { start: 'c', end: 'x', epoch: 5, terms: 7, time: 2_000 };
  expect(judgeHandOver({ ...source, range: older }, { ...asked, epoch: 6 })).toEqual({
    kind: 'hand-over',
    keeps: { ...older, end: 'm', epoch: 6 },
    handed: { to: 'new', range: { start: 'm', end: 'x', epoch: 6, terms: 11, time: 2_000 } },
  });
});

test('asked again it is done, whichever primary is asked', () => {
  expect(judgeHandOver({ ...source, range: { ...everything, end: 'm', epoch: 1 }, handed }, asked)).toEqual({
    kind: 'done',
  });
});

test.each<[string, Partial<SourceFacts>, Partial<HandOver>]>([
  ['no range yet', { range: null }, {}],
  ['another shard takes keys over', { handed: { ...handed, to: 'other' } }, {}],
  ['an earlier split of the same shard', { handed }, { epoch: 2 }],
  ['another border', { handed }, { at: 'n' }],
  ['a request of a split that is over', { range: { ...everything, end: 'm', epoch: 1 } }, {}],
  ['a request of a split that began later', {}, { epoch: 2 }],
  ['too many epochs', { range: { ...everything, epoch: maxEpoch } }, { epoch: maxEpoch + 1 }],
  ['a border at the start', { range: firstRange({ start: 'm', end: '' }) }, {}],
  ['a border before the start', { range: firstRange({ start: 'n', end: '' }) }, {}],
  ['a border at the end', { range: firstRange({ start: '', end: 'm' }) }, {}],
  ['a range without keys', { range: firstRange({ start: 'm', end: 'm' }) }, {}],
  ['an empty border', {}, { at: '' }],
])('refused: %s', (_, facts, request) => {
  expect(judgeHandOver({ ...source, ...facts }, { ...asked, ...request }).kind).toBe('refused');
});

const upper = { start: 'm', end: 'x', epoch: 3, terms: 2, time: 500 };
const all: HandOver = { at: 'm', to: 'lower', epoch: 6, since: 3 };

test('a merge gets all keys, and leaves a range that holds none', () => {
  expect(judgeHandOver({ ...source, range: upper }, all)).toEqual({
    kind: 'hand-over',
    keeps: { ...upper, end: 'm', epoch: 6 },
    handed: { to: 'lower', range: { start: 'm', end: 'x', epoch: 6, terms: 6, time: 1_000 } },
  });
  const given = { to: 'lower', range: { ...upper, epoch: 6 } };
  expect(judgeHandOver({ ...source, range: { ...upper, end: 'm', epoch: 6 }, handed: given }, all).kind).toBe('done');
});

test.each<[string, Partial<SourceFacts>, Partial<HandOver>]>([
  ['the range is another one', { range: { ...upper, epoch: 4 } }, {}],
  ['… because the merge was taken back', { range: { ...upper, epoch: 6 } }, {}],
  ['an epoch that is not above', {}, { epoch: 3 }],
  ['too many epochs', {}, { epoch: maxEpoch + 1 }],
  ['not from the first key on', {}, { at: 'n' }],
  ['no keys are left', { range: { ...upper, end: 'm' } }, {}],
  ['the lowest keys have no lower neighbour', { range: { ...upper, start: '' } }, { at: '' }],
  ['keys are on their way to another one', { handed }, {}],
])('a merge is refused: %s', (_, facts, request) => {
  expect(judgeHandOver({ ...source, range: upper, ...facts }, { ...all, ...request }).kind).toBe('refused');
});

test('a merge that is taken back can never get the keys, unless it has them', () => {
  const barred = { to: 'lower', epoch: 6, since: 3 };
  expect(judgeBar({ range: upper, handed: null }, barred)).toEqual({ barred: { ...upper, epoch: 6 } });
  expect(judgeBar({ range: { ...upper, epoch: 6 }, handed: null }, barred)).toBe('never');
  expect(judgeBar({ range: { ...upper, epoch: 4 }, handed: null }, barred)).toBe('never');
  const given = { to: 'lower', range: { ...upper, epoch: 6 } };
  expect(judgeBar({ range: { ...upper, end: 'm', epoch: 6 }, handed: given }, barred)).toBe('handed');
  expect(judgeBar({ range: { ...upper, end: 'p', epoch: 4 }, handed }, barred)).toBe('never');
});
