import { describe, expect, test } from 'vitest';
import { decodeEntry, encodeEntry, genesis, type EntryKind } from '../log/entry.ts';
import { emptyHistory, extend, historyOf, positionOf, type History, type Verdict } from './history.ts';

interface Step {
  readonly kind?: EntryKind;
  readonly term: number;
  readonly writer?: string;
  readonly time?: number;
  /** Written for another place: it names another entry as the one before. */
  readonly elsewhere?: boolean;
  readonly bytes?: Uint8Array;
}

/** Runs steps over a history; answers the verdicts and the history at the end. */
function run(steps: readonly Step[], from: History = emptyHistory): { verdicts: string[]; history: History } {
  let history = from;
  const verdicts: string[] = [];
  for (const step of steps) {
    const { kind = 'data', term, writer = 'a', time = 0 } = step;
    const previous = step.elsewhere ? '1'.repeat(24) : history.chain;
    const bytes = step.bytes ?? encodeEntry({ kind, term, writer, time, previous }, []).bytes;
    const next = extend(history, decodeEntry(bytes));
    history = next.history;
    verdicts.push(text(next.verdict));
  }
  return { verdicts, history };
}

const text = (verdict: Verdict): string => ('reason' in verdict ? `${verdict.kind}: ${verdict.reason}` : verdict.kind);

const newer = (): Uint8Array => {
  const { bytes } = encodeEntry({ kind: 'data', term: 1, writer: 'a', time: 0, previous: genesis }, []);
  bytes[2] = 9;
  return bytes;
};

describe('what an entry is at its place', () => {
  const cases: readonly [name: string, steps: readonly Step[], verdicts: readonly string[]][] = [
    ['a term begins with its TERM entry', [{ kind: 'term', term: 1 }, { term: 1 }], ['term', 'data']],
    ['data before any TERM do not count', [{ term: 1 }], ['void: older-term']],
    [
      'data of an older term do not count, even when they name the TERM before them',
      [{ kind: 'term', term: 1 }, { kind: 'term', term: 2, writer: 'b' }, { term: 1 }],
      ['term', 'term', 'void: older-term'],
    ],
    [
      'data of a term that has not begun do not count',
      [{ kind: 'term', term: 1 }, { term: 2 }],
      ['term', 'void: older-term'],
    ],
    [
      'a TERM that is not higher does not count',
      [
        { kind: 'term', term: 3 },
        { kind: 'term', term: 3 },
      ],
      ['term', 'void: not-newer'],
    ],
    [
      'terms may be left out',
      [
        { kind: 'term', term: 3 },
        { kind: 'term', term: 9 },
      ],
      ['term', 'term'],
    ],
    [
      'data written for another place do not count, even of the same term',
      [{ kind: 'term', term: 1 }, { term: 1, elsewhere: true }, { term: 1 }],
      ['term', 'void: other-place', 'data'],
    ],
    [
      'a TERM written for another place does not count',
      [{ kind: 'term', term: 1, elsewhere: true }],
      ['void: other-place'],
    ],
    [
      'a resignation of an older term does not count',
      [
        { kind: 'term', term: 2 },
        { kind: 'resign', term: 1 },
      ],
      ['term', 'void: older-term'],
    ],
    [
      'bytes that are no entry are passed over',
      [
        { term: 0, bytes: Buffer.from('hello') },
        { kind: 'term', term: 1 },
      ],
      ['void: foreign', 'term'],
    ],
    ['an entry of a newer version stops', [{ term: 0, bytes: newer() }], ['unreadable: newer']],
  ];
  test.each(cases)('%s', (_name, steps, verdicts) => {
    expect(run(steps).verdicts).toEqual(verdicts);
  });

  test('every entry moves the place and the chain, void ones too', () => {
    const { history } = run([{ kind: 'term', term: 1 }, { term: 7 }, { term: 1 }]);
    expect(history.seq).toBe(3);
    expect(run([{ term: 1, elsewhere: true }], history).history.chain).not.toBe(history.chain);
  });

  test('void entries change neither term nor time', () => {
    const before = run([{ kind: 'term', term: 2, time: 50 }]).history;
    const after = run([{ kind: 'data', term: 1, time: 999 }], before).history;
    expect(after).toMatchObject({ term: 2, time: 50, writer: 'a' });
  });

  test('log time does not run backwards', () => {
    expect(
      run([
        { kind: 'term', term: 1, time: 50 },
        { term: 1, time: 40 },
      ]).history.time,
    ).toBe(50);
  });

  test('a resignation holds until the next TERM', () => {
    const resigned = run([
      { kind: 'term', term: 1 },
      { kind: 'resign', term: 1 },
    ]).history;
    expect(resigned.resigned).toBe(true);
    expect(run([{ kind: 'term', term: 2 }], resigned).history.resigned).toBe(false);
  });

  test('a store gives back the history that it was given, but for who wrote', () => {
    const { history } = run([
      { kind: 'term', term: 4, time: 77 },
      { term: 4, time: 78 },
    ]);
    expect(historyOf(positionOf(history, 'log'))).toEqual({ ...history, writer: null });
    expect(historyOf(null)).toEqual(emptyHistory);
  });
});
