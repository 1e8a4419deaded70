import { expect, test } from 'vitest';
import { EffectWriter } from '../store/effects.ts';
import { firstRange, maxEpoch } from '../store/key-range.ts';
import { encodeNote, noteName } from '../two-phase/note.ts';
import { encodeHanded, handedNote } from './hand-over.ts';
import { decodeIntake, encodeIntake, intakeNote, openedRange, rangeOfIntake } from './intake-note.ts';
import { judgeMerge, keepsKeysOfOthers, takerFacts, type MergePlan, type TakerFacts } from './merge-begin.ts';

const own = { ...firstRange({ start: 'c', end: 'm' }), epoch: 4, terms: 7, time: 900 };
const taker: TakerFacts = { range: own, handed: null, intake: null, clearing: false };
const plan: MergePlan = { at: 'm', epoch: 2 };

test.each([
  ['the lower one is ahead', 4, 2, 6],
  ['the upper one is ahead', 4, 9, 11],
  ['neither ever changed', 0, 0, 2],
])('epochs are above those of both shards: %s', (_, lower, upper, epoch) => {
  const range = { ...own, epoch: lower };
  const verdict = judgeMerge({ ...taker, range }, 'upper', { at: 'm', epoch: upper });
  const assignment = { from: 'upper', at: 'm', epoch, merge: { since: upper } };
  expect(verdict).toEqual({ kind: 'begin', assignment });
  expect(rangeOfIntake(assignment, range)).toEqual({ ...range, epoch: epoch - 1 });
  const given = { start: 'm', end: 'x', epoch, terms: 3, time: 1_000 };
  expect(openedRange(assignment, range, given)).toEqual({ start: 'c', end: 'x', epoch, terms: 7, time: 1_000 });
});

test.each<[string, Partial<TakerFacts>, Partial<MergePlan>, 'ERR' | 'TRYAGAIN']>([
  ['no range yet', { range: null }, {}, 'TRYAGAIN'],
  ['it is being split', { handed: { to: 'new' } }, {}, 'TRYAGAIN'],
  ['it takes keys over already', { intake: { from: 'old' } }, {}, 'TRYAGAIN'],
  ['all keys are about to be removed', { clearing: true }, {}, 'TRYAGAIN'],
  ['it has no keys', { range: { ...own, end: 'c' } }, { at: 'c' }, 'ERR'],
  ['it has the highest keys', { range: { ...own, end: '' } }, { at: '' }, 'ERR'],
  ['a gap between both', {}, { at: 'n' }, 'ERR'],
  ['the other one lies below', {}, { at: 'a' }, 'ERR'],
  ['too many epochs', {}, { epoch: maxEpoch - 1 }, 'ERR'],
])('refused: %s', (_, facts, changed, code) => {
  expect(judgeMerge({ ...taker, ...facts }, 'upper', { ...plan, ...changed })).toMatchObject({ kind: 'refused', code });
});

const prepared = (write: (writer: EffectWriter) => void): [string, Buffer] => {
  const writer = new EffectWriter();
  write(writer);
  const roles = { anchor: 'lower', participants: ['lower', 'upper'] };
  return [noteName('id'), encodeNote({ state: 'prepared', ...roles, keys: [], effects: writer.take() })];
};

test('what is in the way is in the notes', () => {
  expect(takerFacts(own, [prepared((writer) => writer.remove('c'))])).toEqual(taker);
  expect(takerFacts(own, [prepared((writer) => writer.clear())]).clearing).toBe(true);
  const notes: [string, Buffer][] = [
    [handedNote, encodeHanded({ to: 'new', range: own })],
    [intakeNote, encodeIntake({ from: 'old', at: 'm', epoch: 1, phase: 'open' })],
  ];
  expect(takerFacts(own, notes)).toMatchObject({ handed: { to: 'new' }, intake: { from: 'old' } });
});

test('keys of others are kept while they are given away, and while a merge copies them', () => {
  const kept = (name: string, bytes: Buffer): boolean =>
    keepsKeysOfOthers((asked) => (asked === name ? bytes : undefined));
  const assignment = { from: 'old', at: 'm', epoch: 1 };
  expect(kept('range', Buffer.alloc(0))).toBe(false);
  expect(kept(handedNote, encodeHanded({ to: 'new', range: own }))).toBe(true);
  expect(kept(intakeNote, encodeIntake({ ...assignment, phase: 'snapshot' }))).toBe(false);
  expect(kept(intakeNote, encodeIntake({ ...assignment, merge: { since: 0 }, phase: 'snapshot' }))).toBe(true);
});

test('notes of splits that began with an older version are read', () => {
  const note = decodeIntake(Buffer.from('{"from":"old","at":"m","epoch":1,"phase":"snapshot"}'));
  expect(note).toEqual({ from: 'old', at: 'm', epoch: 1, phase: 'snapshot' });
  expect(rangeOfIntake(note)).toMatchObject({ start: 'm', end: 'm', epoch: 1 });
});
