import type { Ability, Database, Shard } from '../database/database.ts';
import type { Random } from '../random.ts';

/** What a fault needs to know to strike. */
export interface Strike {
  readonly database: Database;
  /** Draws that the seed repeats. What they hit may differ: who leads is not up to the seed. */
  readonly random: Random;
  readonly shard: Shard;
}

/** Something that goes wrong, and gets well again. */
export interface Fault {
  readonly name: string;
  /** Longest time that it lasts, milliseconds. */
  readonly longestMs: number;
  /** What the database must be able to; left out: nothing. */
  readonly needs?: Ability;
  /** Strikes; answers what it hit, and how to end it. */
  strike(strike: Strike): Promise<{ readonly hit: string; end(): Promise<void> | void }>;
}

/** What a fault did that found nothing to hit. */
export const nobody = { hit: 'nobody', end: (): void => {} };
