import { expect, test } from 'vitest';
import { rangeReport as schema } from '../../../contract/heartbeat.ts';
import { encodeRange, everything, firstRange, keyOfText, rangeNote } from '../store/key-range.ts';
import { encodeHanded, handedNote } from './hand-over.ts';
import { encodeIntake, intakeNote, rangeOfIntake } from './intake-note.ts';
import { nothingWanted, rangeReport, RangeReporter } from './range-report.ts';

const splitFrom = { shard: 'old', at: 'm' };
const assignment = { from: 'old', at: keyOfText('é'), epoch: 1 };

test('a shard tells the range that its log says, as text', () => {
  const notes = new Map([[rangeNote, encodeRange(firstRange({ start: keyOfText('é'), end: keyOfText('ü') }))]]);
  expect(rangeReport(notes, nothingWanted, undefined)).toEqual({ start: 'é', end: 'ü', epoch: 0 });
});

test('what is not known is not told', () => {
  expect(rangeReport(new Map(), nothingWanted, undefined)).toBeUndefined();
});

test('a new shard tells how far it is, and never a range that holds keys', () => {
  const waiting = rangeReport(new Map(), { ...nothingWanted, splitFrom }, 'nobody leads the source');
  expect(waiting).toEqual({
    start: 'm',
    end: 'm',
    epoch: 0,
    intake: { from: 'old', phase: 'waiting', problem: 'nobody leads the source' },
  });
  for (const at of [null, '']) {
    const report = rangeReport(new Map(), { ...nothingWanted, splitFrom: { shard: 'old', at } }, undefined);
    expect(schema.parse(report)).toEqual(report);
    expect(report?.start).not.toBe('');
    expect(report?.end).toBe(report?.start);
  }
  const notes = new Map([
    [rangeNote, encodeRange(rangeOfIntake(assignment))],
    [intakeNote, encodeIntake({ ...assignment, phase: 'snapshot' })],
  ]);
  expect(rangeReport(notes, { ...nothingWanted, splitFrom }, undefined)).toEqual({
    start: 'é',
    end: 'é',
    epoch: 1,
    intake: { from: 'old', phase: 'snapshot' },
  });
});

test('the source tells who got which keys, until they are surely taken', () => {
  const range = { start: keyOfText('é'), end: '', epoch: 1, terms: 1, time: 2 };
  const notes = new Map([
    [rangeNote, encodeRange({ ...everything, end: range.start, epoch: 1 })],
    [handedNote, encodeHanded({ to: 'new', range })],
  ]);
  expect(rangeReport(notes, nothingWanted, undefined)).toEqual({
    start: '',
    end: 'é',
    epoch: 1,
    handed: { to: 'new', start: 'é', end: '' },
  });
});

test('who listens is told of changes, and not of steps between them', () => {
  const notes = new Map<string, Buffer>();
  let told = 0;
  const reporter = new RangeReporter({ notes }, () => told++);
  reporter.look();
  expect(told).toBe(0);
  reporter.tell({ ...nothingWanted, splitFrom }, undefined);
  expect(told).toBe(1);
  notes.set(rangeNote, encodeRange(rangeOfIntake(assignment)));
  notes.set(intakeNote, encodeIntake({ ...assignment, phase: 'snapshot' }));
  reporter.look();
  expect(told).toBe(2);
  const position = { seq: 1, term: 1, log: 'l', chain: 'c', time: 0 };
  notes.set(intakeNote, encodeIntake({ ...assignment, phase: 'log', position }));
  reporter.look();
  notes.set(intakeNote, encodeIntake({ ...assignment, phase: 'log', position: { ...position, seq: 2 } }));
  reporter.look();
  expect(told).toBe(3);
  expect(reporter.report?.intake?.phase).toBe('log');
});

test('a shard that takes over its upper neighbour tells its own range, which it serves, and how far it is', () => {
  const own = { ...firstRange({ start: keyOfText('é'), end: keyOfText('ü') }), epoch: 3 };
  const notes = new Map([[rangeNote, encodeRange(own)]]);
  const told = { start: 'é', end: 'ü', epoch: 3 };
  const intake = { from: 'upper', merge: true };
  expect(rangeReport(notes, { ...nothingWanted, mergeFrom: 'upper' }, 'why')).toEqual({
    ...told,
    intake: { ...intake, phase: 'waiting', problem: 'why' },
  });
  const assigned = { from: 'upper', at: own.end, epoch: 4, merge: { since: 1 } };
  notes.set(intakeNote, encodeIntake({ ...assigned, phase: 'snapshot' }));
  const report = rangeReport(notes, nothingWanted, undefined);
  expect(report).toEqual({ ...told, intake: { ...intake, phase: 'snapshot' } });
  expect(schema.parse(report)).toEqual(report);
});
