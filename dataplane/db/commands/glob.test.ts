import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { globMatch, literalPrefix } from './glob.ts';

const cases: readonly [pattern: string, text: string, matches: boolean][] = [
  ['', '', true],
  ['*', '', true],
  ['*', 'anything', true],
  ['a*c', 'abbbc', true],
  ['a*c', 'abbb', false],
  ['a*b*c', 'a1b2b3c', true],
  ['?', 'a', true],
  ['?', '', false],
  ['h[ae]llo', 'hello', true],
  ['h[^e]llo', 'hello', false],
  ['h[a-b]llo', 'hbllo', true],
  ['h[b-a]llo', 'hallo', true],
  [String.raw`\*`, '*', true],
  [String.raw`\*`, 'a', false],
  [String.raw`[\]]`, ']', true],
  ['[', '[', false],
  ['ab', 'abc', false],
  ['abc', 'ab', false],
];

test.each(cases)('%j against %j: %s', (pattern, text, matches) => {
  expect(globMatch(pattern, text)).toBe(matches);
});

test('many stars do not make it slow', () => {
  const started = performance.now();
  expect(globMatch(`${'a*'.repeat(50)}b`, 'a'.repeat(20_000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(2_000);
});

test('all that matches begins with the literal prefix of the pattern', () => {
  expect(['user:*', 'a?', 'a[bc]', String.raw`a\*`, '*', 'whole'].map(literalPrefix)).toEqual([
    'user:',
    'a',
    'a',
    'a',
    '',
    'whole',
  ]);
  const text = fc.string({ unit: fc.constantFrom(...'ab*?[]^\\-'), maxLength: 6 });
  fc.assert(
    fc.property(text, text, (pattern, key) => !globMatch(pattern, key) || key.startsWith(literalPrefix(pattern))),
    { numRuns: 5_000 },
  );
});
