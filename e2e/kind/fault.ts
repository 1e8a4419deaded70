import { expect } from 'vitest';
import { underTraffic, type Fault } from '../under-traffic.ts';
import type { EverythingReport } from '../workloads/everything.ts';
import type { Scene } from './promise.ts';
import { trafficNote } from './report.ts';

/** Rest of each client between two requests: two cores carry the cluster and its clients. */
const paceMs = 20;

/** Longest outage that each service may have, ms; what is not named is only printed. */
export type OutageBudget = Partial<EverythingReport['outages']>;

/** A fault under traffic on all four services, its figures in the report, and its outages within their budgets. */
export const faultUnderTraffic = async (
  { cluster, note }: Scene,
  fault: Fault,
  budget: OutageBudget,
): Promise<EverythingReport> => {
  const report = await underTraffic(cluster, { paceMs, ...fault });
  note(trafficNote(report));
  for (const [service, most] of Object.entries(budget)) {
    const took = report.outages[service as keyof OutageBudget];
    expect(took, `${service} was out for ${took} ms`).toBeLessThan(most);
  }
  return report;
};
