import { expect, test } from 'vitest';
import { everything, firstRange, maxEpoch } from '../store/key-range.ts';
import { judgeHandOver, type Handed, type HandOver, type SourceFacts } from './hand-over.ts';

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
