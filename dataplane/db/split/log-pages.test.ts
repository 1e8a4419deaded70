import { expect, test } from 'vitest';
import { encodeEntry, type EntryKind } from '../../log/entry.ts';
import { MemoryLog, MemoryStream } from '../../log/memory-log.ts';
import { emptyHistory, extend, positionOf, type History } from '../../replica/history.ts';
import { decodeEntry } from '../../log/entry.ts';
import type { Position } from '../../replica/state-machine.ts';
import { pageAfter } from './log-pages.ts';

/** A log, and the place of each of its entries. */
const written = (kinds: readonly { kind: EntryKind; term: number; damaged?: boolean }[]) => {
  const stream = new MemoryStream();
  let history: History = emptyHistory;
  const positions: Position[] = [];
  for (const [i, { kind, term, damaged }] of kinds.entries()) {
    const header = { kind, term, writer: 'a', time: i, previous: history.chain };
    const { bytes } = encodeEntry(header, kind === 'data' ? [Buffer.from(`operation ${i + 1}`)] : []);
    if (damaged) bytes[2] = 9;
    stream.store(i, bytes);
    ({ history } = extend(history, decodeEntry(bytes)));
    positions.push(positionOf(history, stream.created));
  }
  const at = (seq: number): Position => {
    const position = positions[seq - 1];
    if (!position) throw new Error(`no entry ${seq}`);
    return position;
  };
  return { stream, log: new MemoryLog(stream), at };
};

const some = [
  { kind: 'term', term: 1 },
  { kind: 'data', term: 1 },
  { kind: 'term', term: 2 },
  { kind: 'data', term: 1 },
  { kind: 'data', term: 2 },
] as const;

test('what follows a place are the entries that count, each with its place', async () => {
  const { log, at } = written(some);
  const page = await pageAfter(log, at(1));
  expect(page?.entries.map(({ operations, position }) => [position, String(operations[0])])).toEqual([
    [at(2), 'operation 2'],
    [at(5), 'operation 5'],
  ]);
  expect(page).toMatchObject({ position: at(5), more: false });
});

test('at the end of the log there is nothing more', async () => {
  const { log, at } = written(some);
  expect(await pageAfter(log, at(5))).toEqual({ entries: [], position: at(5), more: false });
});

test('a log that does not reach back so far, or is another one, cannot be gone on with', async () => {
  const { log, at } = written(some);
  expect(await pageAfter(log, { ...at(2), log: 'another' })).toBeNull();
  expect(await pageAfter(log, { ...at(5), seq: 6 })).toBeNull();
  await log.trim(3);
  expect(await pageAfter(log, at(2))).toBeNull();
  expect((await pageAfter(log, at(3)))?.entries).toHaveLength(1);
});

test('an entry that cannot be read stops it', async () => {
  const { log, at } = written([...some, { kind: 'data', term: 2, damaged: true }]);
  await expect(pageAfter(log, at(1))).rejects.toThrow(/cannot be read/);
});
