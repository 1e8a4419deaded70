import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { Endpoints } from './resources.ts';
import { Everything, type EverythingReport } from './workloads/everything.ts';

/** What is broken: somewhere that a Quartet runs. */
export interface Target {
  readonly endpoints: Endpoints;
  /** Waits until everything is Ready. */
  settled(): Promise<void>;
}

/** One fault and what mends it. */
export interface Fault {
  readonly name: string;
  /** Breaks something; traffic must make progress after it, before `mend` is called. */
  breakIt(traffic: Everything): Promise<void>;
  /** Undoes it and waits until everything is Ready. */
  mend(traffic: Everything): Promise<void>;
  /** How long a service may need until it makes progress again, ms. */
  readonly recoverWithinMs?: number;
  /** Rest of each client between two requests; see {@link Everything}. */
  readonly paceMs?: number;
}

const services = ['database', 'chat', 'edge', 'search'] as const;

const progressed = (traffic: Everything, since: Everything['successes']) => async () => {
  const { successes } = traffic;
  for (const service of services) {
    expect(successes[service], `${service} made no progress`).toBeGreaterThan(since[service] + 20);
  }
};

/**
 * Runs traffic on all four services, breaks something, waits until all four made progress again, mends it, and checks
 * what the clients hold against what the services say: acknowledged writes and documents are there, every
 * acknowledged message came once and in order.
 */
export const underTraffic = async (target: Target, fault: Fault): Promise<EverythingReport> => {
  const { breakIt, mend, recoverWithinMs = 40_000, paceMs = 0 } = fault;
  await target.settled();
  const name = `${fault.name.replaceAll(/\W+/g, '-')}-${Date.now()}`;
  const traffic = new Everything(target.endpoints, name, paceMs);
  try {
    await traffic.start();
    await eventually(progressed(traffic, { database: 0, chat: 0, edge: 0, search: 0 }), 30_000, 50);
    traffic.resetOutages();
    await breakIt(traffic);
    await eventually(progressed(traffic, traffic.successes), recoverWithinMs, 50);
    await mend(traffic);
    await eventually(progressed(traffic, traffic.successes), recoverWithinMs, 50);
  } catch (error) {
    await traffic.finish().catch(() => {});
    throw error;
  }
  const report = await traffic.finish();
  expect(report.database.lost).toEqual([]);
  expect(report.documents.lost).toEqual([]);
  expect(report.chat).toMatchObject({ missing: [], doubled: [], ordered: true });
  return report;
};

/** The longest time without a success of any service, ms. */
export const longestOutage = (report: EverythingReport): number => Math.max(...Object.values(report.outages));
