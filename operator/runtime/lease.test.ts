import { describe, expect, test } from 'vitest';
import { claimLease, decideLease, microTime, releaseLease } from './lease.ts';

const lease = (holderIdentity: string, leaseDurationSeconds = 15) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'l', namespace: 'n', resourceVersion: '7' },
  spec: { holderIdentity, leaseDurationSeconds, leaseTransitions: 3, acquireTime: 'then', renewTime: 'then' },
});

describe('a candidate', () => {
  test.each([
    ['creates one that is not there', undefined, 0, { act: 'create' }],
    ['renews its own', lease('me'), 0, { act: 'renew' }],
    ['renews its own from before a restart, however old', lease('me'), 99_999, { act: 'renew' }],
    ['takes one that was released', lease(''), 0, { act: 'take', why: 'released' }],
    ['waits while another holds it', lease('other'), 14_999, { act: 'wait', holder: 'other', expiresInMs: 1 }],
    ['takes one that has not changed for its duration', lease('other'), 15_000, { act: 'take', why: 'expired' }],
    ['goes by the duration that the holder wrote', lease('other', 3), 3_000, { act: 'take', why: 'expired' }],
  ])('%s', (_, observed, age, decision) => {
    expect(decideLease({ lease: observed, since: 1_000 }, 'me', 1_000 + age)).toEqual(decision);
  });
});

describe('what is written', () => {
  const claim = { identity: 'me', durationMs: 2_500 };
  const wall = Date.UTC(2026, 0, 1, 0, 0, 0, 5);

  test('taking counts a transition and starts a term; the version stays as precondition', () => {
    const taken = claimLease(lease('other'), claim, wall);
    expect(taken.metadata.resourceVersion).toBe('7');
    expect(taken.spec).toEqual({
      holderIdentity: 'me',
      leaseDurationSeconds: 3,
      leaseTransitions: 4,
      acquireTime: '2026-01-01T00:00:00.005000Z',
      renewTime: '2026-01-01T00:00:00.005000Z',
    });
  });

  test('renewing keeps term and count', () => {
    expect(claimLease(lease('me'), claim, wall).spec).toMatchObject({
      leaseTransitions: 3,
      acquireTime: 'then',
      renewTime: microTime(wall),
    });
  });

  test('a released lease is free at once', () => {
    const released = releaseLease(lease('me'), wall);
    expect(decideLease({ lease: released, since: 0 }, 'other', 0)).toEqual({ act: 'take', why: 'released' });
  });
});
