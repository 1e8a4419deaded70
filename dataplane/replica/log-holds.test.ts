import { expect, test } from 'vitest';
import { holdMs, LogHolds } from './log-holds.ts';

test('the log is held for the one who is furthest behind', () => {
  const holds = new LogHolds();
  expect(holds.floor(0, 0)).toBeNull();
  holds.keep('a', 50, 0);
  holds.keep('b', 30, 0);
  expect(holds.floor(1, 0)).toBe(30);
  holds.keep('b', 60, 1);
  expect(holds.floor(2, 0)).toBe(50);
  holds.release('a');
  expect(holds.floor(2, 0)).toBe(60);
});

test('who does not say so again holds nothing any more', () => {
  const holds = new LogHolds();
  holds.keep('a', 50, 0);
  expect(holds.floor(holdMs, 0)).toBe(50);
  expect(holds.floor(holdMs + 1, 0)).toBeNull();
});

test('a log that grows too large is held for nobody', () => {
  const holds = new LogHolds();
  holds.keep('a', 50, 0);
  expect(holds.floor(1, 9 * 2 ** 30)).toBeNull();
});
