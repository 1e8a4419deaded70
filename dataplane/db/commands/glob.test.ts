import { expect, test } from 'vitest';
import { globMatch } from './glob.ts';

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
