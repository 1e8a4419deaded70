import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import { Random } from '../random.ts';
import { faults } from './faults.ts';
import type { Appointment } from './schedule.ts';

/** What a fault did. Times are milliseconds since the nemesis began. */
export interface Struck {
  readonly fault: string;
  readonly hit: string;
  readonly from: number;
  readonly to: number;
}

/** Carries out a schedule. Ends when all faults have ended, or soon after the signal. */
export const strikeAll = async (
  database: Database,
  appointments: readonly Appointment[],
  { seed, signal }: { seed: string; signal: AbortSignal },
): Promise<Struck[]> => {
  const began = performance.now();
  const now = (): number => Math.round(performance.now() - began);
  const keep = async (appointment: Appointment, index: number): Promise<Struck | undefined> => {
    await pass(appointment.at, signal);
    const shard = database.shards[appointment.shard % database.shards.length];
    if (signal.aborted || shard === undefined) return undefined;
    const fault = faults[appointment.fault];
    const from = now();
    const { hit, end } = await fault.strike({ database, shard, random: new Random(`${seed} fault ${index}`) });
    await pass(appointment.lasts, signal);
    // What could not be ended, because another fault struck there, is ended by the healing of all.
    await Promise.resolve(end()).catch(() => {});
    return { fault: fault.name, hit, from, to: now() };
  };
  const struck = await Promise.all(appointments.map(keep));
  return struck.filter((it) => it !== undefined);
};

const pass = async (ms: number, signal: AbortSignal): Promise<void> => {
  await sleep(ms, undefined, { signal }).catch(() => {});
};
