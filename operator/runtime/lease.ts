import type { Lease } from './builtin.ts';

/**
 * The next leader takes over 8 to 10 s after one was killed. A leader ends its work 3 s before another may begin, and
 * its tries are 1 s apart, so that one renewal that hangs (it is given half of the deadline) does not lose the lease.
 */
export const leaseTimes = { durationMs: 8_000, renewDeadlineMs: 5_000, retryMs: 1_000 } as const;

/** Who writes the lease, and how long it holds. */
export interface LeaseClaim {
  readonly identity: string;
  readonly durationMs: number;
}

/** A lease as this process saw it. */
export interface LeaseObservation {
  /** undefined: there is none. */
  readonly lease: Lease | undefined;
  /** When this process first saw this state of it, monotonic ms. Other machines' clocks do not matter. */
  readonly since: number;
}

/** create, take or renew it; or wait for what another process does. */
export type LeaseDecision =
  | { readonly act: 'create' }
  | { readonly act: 'renew' }
  | { readonly act: 'take'; readonly why: 'released' | 'expired' }
  | { readonly act: 'wait'; readonly holder: string; readonly expiresInMs: number };

/**
 * What a candidate may do about a lease. Pure. A lease is expired when it has
 * not changed for its own duration, as measured here.
 */
export function decideLease(observation: LeaseObservation, identity: string, now: number): LeaseDecision {
  const { lease, since } = observation;
  if (lease === undefined) return { act: 'create' };
  const holder = lease.spec?.holderIdentity ?? '';
  if (holder === identity) return { act: 'renew' };
  if (holder === '') return { act: 'take', why: 'released' };
  const expiresInMs = since + (lease.spec?.leaseDurationSeconds ?? 0) * 1000 - now;
  return expiresInMs <= 0 ? { act: 'take', why: 'expired' } : { act: 'wait', holder, expiresInMs };
}

/** The lease to write when taking or renewing it. Keeps metadata, so resourceVersion stays the precondition. */
export function claimLease(previous: Lease, claim: LeaseClaim, wall: number): Lease {
  const isHolder = previous.spec?.holderIdentity === claim.identity;
  const renewTime = microTime(wall);
  return {
    ...previous,
    spec: {
      holderIdentity: claim.identity,
      leaseDurationSeconds: Math.ceil(claim.durationMs / 1000),
      acquireTime: isHolder ? (previous.spec?.acquireTime ?? renewTime) : renewTime,
      renewTime,
      leaseTransitions: (previous.spec?.leaseTransitions ?? 0) + (isHolder ? 0 : 1),
    },
  };
}

/** The lease to write when giving it up: others need not wait for it to expire. */
export function releaseLease(held: Lease, wall: number): Lease {
  const now = microTime(wall);
  return {
    ...held,
    spec: { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now },
  };
}

/** RFC 3339 with six digits of a second, as metav1.MicroTime wants it. */
export function microTime(wall: number): string {
  return new Date(wall).toISOString().replace(/\.(\d{3})Z$/, '.$1000Z');
}
