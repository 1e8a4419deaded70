import { setTimeout as sleep } from 'node:timers/promises';
import { primaryOf, type Database, type Shard } from '../database/database.ts';
import type { Fault, Strike } from './fault.ts';

/** Keys at which a shard with a letter is split: in the midst of what one workload uses, or between two of them. */
const borders = (letter: string): string[] => [
  `${letter}-bank-4`,
  `${letter}-fork`,
  `${letter}-list-3`,
  `${letter}-range-04`,
  `${letter}-register-2`,
  `${letter}-set`,
];

/** One of them that lies in what the shard has now; null: its middle, when there is none, or by chance. */
const someBorder = ({ database, random, shard }: Strike): string | null => {
  const { start, end } = database.observer.report(primaryOf(database, shard)?.name ?? '')?.range ?? {};
  const inside = borders(shard.letter).filter(
    (key) => start !== undefined && key > start && (end === '' || key < (end ?? '')),
  );
  return inside.length === 0 || random.chance(0.2) ? null : random.pick(inside);
};

const split = async (strike: Strike): Promise<{ upper: Shard | undefined; hit: string }> => {
  const at = someBorder(strike);
  const upper = await strike.database.split(strike.shard, at);
  return { upper, hit: upper === undefined ? 'nobody' : `${strike.shard.name} at ${at ?? 'its middle'}` };
};

/** No fault for those who serve: keys change hands in the midst of everything else. It ends when it ends. */
export const splitShard: Fault = {
  name: 'split of a shard',
  needs: 'split',
  longestMs: 5_000,
  async strike(strike) {
    const { hit } = await split(strike);
    return { hit, end: () => {} };
  },
};

const limitMs = 10_000;
/** A split takes about so long, milliseconds. */
const splitMs = 500;

const whenLed = async (database: Database, shard: Shard): Promise<void> => {
  const deadline = performance.now() + limitMs;
  while (primaryOf(database, shard) === undefined && performance.now() < deadline) await sleep(5);
};

export const splitAndKill: Fault = {
  name: 'split of a shard, and kill -9 of a primary on either side',
  needs: 'split',
  longestMs: 4_000,
  async strike(strike) {
    const { database, random, shard } = strike;
    const { upper, hit } = await split(strike);
    const victims = upper !== undefined && random.chance(0.5) ? upper : shard;
    const delay = random.below(splitMs);
    if (upper !== undefined) await whenLed(database, upper);
    await sleep(delay);
    const victim = primaryOf(database, victims) ?? random.pick(victims.members);
    await victim.kill();
    return { hit: `${hit}, ${victim.name}`, end: () => victim.revive() };
  },
};
