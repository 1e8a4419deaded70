import { expect, it } from 'vitest';
import { lastLine } from './program.ts';

it.each([
  ['Error: INSTALLATION FAILED: no such chart\n', 'INSTALLATION FAILED: no such chart'],
  ['warning: x\nerror: the server is away', 'the server is away'],
  ['', ''],
])('the reason in %j is %j', (output, reason) => {
  expect(lastLine(output)).toBe(reason);
});
