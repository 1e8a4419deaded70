import { expect, test } from 'vitest';
import { EffectWriter } from '../store/effects.ts';
import { Deleted, deletedAfterMs } from './deleted.ts';
import { encodeNote, noteName } from './note.ts';
import { Recovery, rememberMs, takeOverMs } from './recovery.ts';
import { decodeStep } from './step.ts';

const ok = { reply: Buffer.from('+OK\r\n'), sequence: 1 };

test('a shard is deleted when the directory does not know it for long, and knows this one', () => {
  let time = 0;
  const known = new Set(['own', 'other']);
  const deleted = new Deleted({ shard: 'own', known: (name) => known.has(name), now: () => time });
  expect(deleted.has('other')).toBe(false);
  known.delete('other');
  expect(deleted.has('other')).toBe(false);
  time += deletedAfterMs;
  expect(deleted.has('other')).toBe(true);
  deleted.heard('other');
  expect(deleted.has('other'), 'one of its members lives').toBe(false);
  known.clear();
  expect(deleted.has('other')).toBe(false);
  known.add('own');
  expect(deleted.has('other')).toBe(false);
  time += deletedAfterMs;
  expect(deleted.has('other')).toBe(true);
});

const steps = async (note: Buffer, isDeleted: boolean): Promise<string[]> => {
  let time = 0;
  const sent: string[] = [];
  const recovery = new Recovery({
    shard: 'own',
    leading: () => true,
    notes: () => new Map([[noteName('id'), note]]),
    send: async (shard, payload) => {
      sent.push(`${decodeStep(payload).name} ${shard}`);
      return shard === 'own' ? ok : { reply: Buffer.from('-CLUSTERDOWN there is no shard\r\n'), sequence: 0 };
    },
    deleted: (shard) => isDeleted && shard === 'gone',
    now: () => time,
  });
  await recovery.look();
  time += takeOverMs;
  await recovery.look();
  time += rememberMs + 1;
  await recovery.look();
  return sent;
};

const roles = { anchor: 'own', participants: ['own', 'gone'] };

test('what a deleted shard took part in is over: the commit is forgotten', async () => {
  const note = encodeNote({ state: 'committed', ...roles });
  expect(await steps(note, true)).toEqual(['forget own']);
  expect(await steps(note, false)).toEqual(['apply gone', 'apply gone']);
});

test('what a deleted shard had to decide about was aborted', async () => {
  const effects = new EffectWriter().take();
  const note = encodeNote({ state: 'prepared', anchor: 'gone', participants: ['gone', 'own'], keys: [], effects });
  expect(await steps(note, true)).toEqual(['drop own', 'drop own']);
  expect(await steps(note, false)).toEqual(['ask gone', 'ask gone']);
});
