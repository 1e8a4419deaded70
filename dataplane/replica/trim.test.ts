import { describe, expect, test } from 'vitest';
import type { LogExtent } from '../log/replicated-log.ts';
import { trimAbove, trimMargin, trimTarget, type TrimMember } from './trim.ts';

const long: LogExtent = { created: 'monday', first: 1, last: trimAbove.entries * 2, bytes: 0 };
const member = (durable: number, alive = true): TrimMember => ({ pod: `p${durable}`, alive, durable });

describe('up to where the log may be trimmed', () => {
  test('a short log is left alone', () => {
    expect(trimTarget({ ...long, last: 100 }, [member(100), member(100)])).toBeNull();
  });

  test('a log of few but large entries is not short', () => {
    const large = { ...long, last: 400, bytes: trimAbove.bytes + 1 };
    expect(trimTarget(large, [member(400), member(400)])).toBe(300);
  });

  test('the slowest live store decides, less a margin', () => {
    expect(trimTarget(long, [member(90_000), member(60_000)])).toBe(60_000 - trimMargin);
  });

  test('a dead replica does not hold the log up: it will be rebuilt', () => {
    expect(trimTarget(long, [member(90_000), member(80_000), member(5, false)])).toBe(80_000 - trimMargin);
  });

  test('never with one store only: the log is the second copy then', () => {
    expect(trimTarget(long, [member(90_000)])).toBeNull();
    expect(trimTarget(long, [member(90_000), member(90_000, false)])).toBeNull();
  });

  test('what somebody else has yet to read stays', () => {
    const members = [member(90_000), member(80_000)];
    expect(trimTarget(long, members, 30_000)).toBe(30_000);
    expect(trimTarget(long, members, 79_000)).toBe(80_000 - trimMargin);
    expect(trimTarget({ ...long, first: 30_001 }, members, 30_000)).toBeNull();
  });

  test('not when a live store has flushed nothing', () => {
    expect(trimTarget(long, [member(90_000), member(0)])).toBeNull();
  });
});
