import { describe, expect, test } from 'vitest';
import { encodeEntry, genesis } from '../log/entry.ts';
import type { LogExtent } from '../log/replicated-log.ts';
import { admit, type AdmissionFacts } from './admission.ts';
import type { Position } from './state-machine.ts';

const entry = encodeEntry({ kind: 'data', term: 1, writer: 'a', time: 0, previous: genesis }, []);
const extent = (first: number, last: number): LogExtent => ({ created: 'monday', first, last, bytes: 0 });
const at = (seq: number, changes: Partial<Position> = {}): Position => ({
  seq,
  term: 1,
  log: 'monday',
  chain: entry.id,
  time: 0,
  ...changes,
});
const facts = (changes: Partial<AdmissionFacts>): AdmissionFacts => ({
  position: null,
  extent: extent(1, 100),
  directory: 'monday',
  entry: null,
  peersAt: 0,
  ...changes,
});

describe('whether a store and a log belong together', () => {
  const cases: readonly [name: string, facts: AdmissionFacts, kind: string][] = [
    ['an empty store follows a whole log', facts({}), 'follow'],
    ['an empty store needs a snapshot when the log was trimmed', facts({ extent: extent(5, 100) }), 'rebuild'],
    ['an empty store follows a long log when no peer has more', facts({ extent: extent(1, 1e6) }), 'follow'],
    [
      'an empty store takes a snapshot when the log is long',
      facts({ extent: extent(1, 1e6), peersAt: 9e5 }),
      'rebuild',
    ],
    [
      'a store that holds something replays',
      facts({ position: at(50), peersAt: 9e5, extent: extent(1, 1e6) }),
      'follow',
    ],
    ['an empty store believes no log that the operator does not name', facts({ directory: null }), 'wait'],
    ['a log other than the one of the directory', facts({ directory: 'tuesday' }), 'halt'],
    ['a store goes on where it is', facts({ position: at(50), entry: { seq: 50, bytes: entry.bytes } }), 'follow'],
    ['a store goes on without the directory', facts({ position: at(50), directory: null }), 'follow'],
    ['a store at the end of the log', facts({ position: at(100), entry: { seq: 100, bytes: entry.bytes } }), 'follow'],
    ['a store just before the first entry', facts({ position: at(4), extent: extent(5, 9) }), 'follow'],
    ['a store whose next entry is gone', facts({ position: at(3), extent: extent(5, 9) }), 'rebuild'],
    ['a store of a recreated log', facts({ position: at(50, { log: 'sunday' }) }), 'halt'],
    ['a store ahead of the log', facts({ position: at(101) }), 'halt'],
    [
      'a store whose last entry is another one in the log',
      facts({ position: at(50, { chain: '00' }), entry: { seq: 50, bytes: entry.bytes } }),
      'halt',
    ],
  ];
  test.each(cases)('%s', (_name, facts, kind) => {
    expect(admit(facts).kind).toBe(kind);
  });

  test('it goes on right behind its position', () => {
    expect(admit(facts({ position: at(50) }))).toEqual({ kind: 'follow', from: 51 });
  });
});
