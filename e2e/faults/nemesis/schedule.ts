import type { Random } from '../random.ts';
import { faults, type FaultName } from './faults.ts';

/** When a fault strikes and how long it lasts, milliseconds since the nemesis began. */
export interface Appointment {
  readonly fault: FaultName;
  readonly at: number;
  readonly lasts: number;
  /** Which shard it strikes: by its remainder, since there may be more by then. */
  readonly shard: number;
}

/** Time between the beginnings of two faults, milliseconds: short enough that some meet others, or what they left behind. */
const gapMs = { shortest: 3_000, longest: 9_000 };
/** Divided by the number of shards, from two to six, it leaves no rest: each is struck as often. */
const shardsWithoutRest = 60;
/** So long before the end nothing new begins. */
const calmMs = 5_000;

/** The faults of a run. Every one has its turn before any comes again. Pure: a seed repeats it. */
export const schedule = (random: Random, names: readonly FaultName[], lengthMs: number): Appointment[] => {
  const appointments: Appointment[] = [];
  let bag: FaultName[] = [];
  for (let at = 1_000; at < lengthMs - calmMs; at += random.between(gapMs.shortest, gapMs.longest)) {
    if (bag.length === 0) bag = random.shuffled(names);
    const fault = bag.pop();
    if (fault === undefined) break;
    const lasts = Math.round(faults[fault].longestMs * random.between(0.25, 1));
    appointments.push({ fault, at: Math.round(at), lasts, shard: random.below(shardsWithoutRest) });
  }
  return appointments;
};
