import { describe, expect, test } from 'vitest';
import { Lease, leaseMs, withholdUntil } from './lease.ts';

describe('lease', () => {
  test('holds from when an acknowledged append was sent, not from when it was acknowledged', () => {
    const lease = new Lease();
    expect(lease.holds(0)).toBe(false);
    lease.extend(1_000);
    expect(lease.holds(1_000 + leaseMs - 1)).toBe(true);
    expect(lease.holds(1_000 + leaseMs)).toBe(false);
  });

  test('an older append does not shorten it', () => {
    const lease = new Lease();
    lease.extend(1_000);
    lease.extend(500);
    expect(lease.left(1_000)).toBe(leaseMs);
  });

  test('is gone when it is dropped', () => {
    const lease = new Lease();
    lease.extend(1_000);
    lease.drop();
    expect(lease.holds(1_001)).toBe(false);
    expect(lease.left(1_001)).toBe(0);
  });
});

describe('a new primary', () => {
  test('waits longer than the lease of the one before can last', () => {
    expect(withholdUntil({ term: 1, resigned: false, lastSeenAt: 500 })).toBeGreaterThan(500 + leaseMs);
  });

  test('does not wait after a resignation, nor when nobody led before', () => {
    expect(withholdUntil({ term: 1, resigned: true, lastSeenAt: 500 })).toBe(Number.NEGATIVE_INFINITY);
    expect(withholdUntil({ term: 0, resigned: false, lastSeenAt: 500 })).toBe(Number.NEGATIVE_INFINITY);
  });
});
