import { describe, expect, it, test } from 'vitest';
import { isNoticeable, showFigures } from './figures.ts';

test.each([
  [undefined, 0, true],
  [0, 0, false],
  [0, 1, true],
  [3, 0, true],
  [100, 104, false],
  [100, 105, true],
  [3, 4, true],
  [100, 95, true],
])('from %s to %s is noticeable: %s', (before, after, expected) => {
  expect(isNoticeable(before, after)).toBe(expected);
});

describe('figures in a status', () => {
  it('stay as they are within ten seconds', () => {
    expect(showFigures({ keys: 1 }, { keys: 1000 }, 9_999)).toEqual({ keys: 1 });
  });
  it('are shown at once the first time', () => {
    expect(showFigures({}, { keys: 1000 }, 0)).toEqual({ keys: 1000 });
  });
  it('change all together when one moved noticeably', () => {
    expect(showFigures({ keys: 100, bytes: 5000 }, { keys: 200, bytes: 5001 }, 10_000)).toEqual({
      keys: 200,
      bytes: 5001,
    });
  });
  it('stay as they are when none moved noticeably', () => {
    expect(showFigures({ keys: 100 }, { keys: 101 }, 60_000)).toEqual({ keys: 100 });
  });
});
