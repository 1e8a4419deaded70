import type { Probe } from '../api/objects.ts';

/** What a series of probes says. */
export interface Verdict {
  /** The current opinion: changes only after a threshold of results in a row. */
  readonly healthy: boolean;
  /** Results in a row that speak against the opinion (or for it: then 0 matters no more). */
  readonly streak: number;
}

/** Before the first result a container is alive, but not ready and not started. */
export const initialVerdict = (kind: 'readiness' | 'liveness' | 'startup'): Verdict => ({
  healthy: kind === 'liveness',
  streak: 0,
});

/** The opinion after one more result. `failureThreshold` defaults to 3, `successThreshold` to 1. */
export const observe = (verdict: Verdict, success: boolean, probe: Probe): Verdict => {
  if (success === verdict.healthy) return { healthy: verdict.healthy, streak: 0 };
  const streak = verdict.streak + 1;
  const threshold = success ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  return streak >= threshold ? { healthy: success, streak: 0 } : { healthy: verdict.healthy, streak };
};

/**
 * A startup probe that has not succeeded: how many failures end the container. {@link observe} cannot tell, because "not
 * started" is where it begins.
 */
export const startupFailed = (failures: number, probe: Probe): boolean => failures >= (probe.failureThreshold ?? 3);
