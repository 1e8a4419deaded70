import { describe, expect, it } from 'vitest';
import { initialVerdict, observe, startupFailed, type Verdict } from './probe.ts';

/** Results as a string: + success, - failure. The opinions after each, in capitals when healthy. */
const opinions = (results: string, first: Verdict, probe = {}): string => {
  let verdict = first;
  return [...results]
    .map((result) => {
      verdict = observe(verdict, result === '+', probe);
      return verdict.healthy ? 'H' : '.';
    })
    .join('');
};

describe('readiness', () => {
  it.each([
    ['--+', '..H', {}],
    ['+--', 'HHH', {}],
    ['+---', 'HHH.', {}],
    ['+--+--', 'HHHHHH', {}],
    ['+---+', 'HHH.H', {}],
    ['++', '.H', { successThreshold: 2 }],
    ['+-++', '...H', { successThreshold: 2 }],
    ['+-', 'H.', { failureThreshold: 1 }],
  ])('%s gives %s', (results, expected, probe) => {
    expect(opinions(results, initialVerdict('readiness'), probe)).toBe(expected);
  });
});

describe('liveness', () => {
  it.each([
    ['--+--', 'HHHHH', {}],
    ['---', 'HH.', {}],
    ['-', '.', { failureThreshold: 1 }],
  ])('%s gives %s', (results, expected, probe) => {
    expect(opinions(results, initialVerdict('liveness'), probe)).toBe(expected);
  });
});

describe('startup', () => {
  it('fails after as many failures as its threshold says', () => {
    expect(startupFailed(29, { failureThreshold: 30 })).toBe(false);
    expect(startupFailed(30, { failureThreshold: 30 })).toBe(true);
    expect(startupFailed(3, {})).toBe(true);
  });
});
