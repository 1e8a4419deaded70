import { describe, expect, it } from 'vitest';
import { megabytes, percent, table } from './table.ts';

describe('table', () => {
  it('is as wide as its widest cells and has no blanks at the end', () => {
    const rows = [
      ['x', 'longer'],
      ['longest', ''],
    ];
    expect(table(['A', 'B'], rows)).toBe('A         B\nx         longer\nlongest');
  });

  it('is empty without rows', () => {
    expect(table(['A'], [])).toBe('');
  });

  it('shows figures that are not known as a dash', () => {
    expect([megabytes(undefined), percent(undefined), megabytes(3_145_728), percent(0.256)]).toEqual([
      '-',
      '-',
      '3 MB',
      '26 %',
    ]);
  });
});
