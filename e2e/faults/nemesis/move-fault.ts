import { setTimeout as sleep } from 'node:timers/promises';
import { primaryOf, type Subject } from '../database/database.ts';
import type { Fault, Strike } from './fault.ts';

/** The primary every other time. One with a small disk stays: others want to fill it. */
const someTraveller = ({ database, random, shard }: Strike): Subject | undefined => {
  const free = shard.members.filter(({ name }) => !database.disks.has(name));
  const primary = primaryOf(database, shard);
  if (primary !== undefined && free.includes(primary) && random.chance(0.5)) return primary;
  return free.length === 0 ? undefined : random.pick(free);
};

const move = async (strike: Strike): Promise<{ hit: string; made: Subject | undefined; over: Promise<boolean> }> => {
  const traveller = someTraveller(strike);
  const move = traveller && (await strike.database.move(strike.shard, traveller));
  if (move === undefined) return { hit: 'nobody', made: undefined, over: Promise.resolve(false) };
  return { hit: `${traveller?.name ?? ''} to ${move.made.name}`, ...move };
};

const told = (hit: string, isMoved: boolean): string => (isMoved || hit === 'nobody' ? hit : `${hit}, given up`);

/** No fault for those who serve: a member is built on another place, and the old one leaves. */
export const moveMember: Fault = {
  name: 'move of a member',
  needs: 'move',
  longestMs: 1_000,
  async strike(strike) {
    const { hit, over } = await move(strike);
    return { hit: told(hit, await over), end: () => {} };
  },
};

/** A move takes about so long, milliseconds. */
const moveMs = 2_000;

export const moveAndKill: Fault = {
  name: 'move of a member, and kill -9 of the new one, the old one or the primary',
  needs: 'move',
  longestMs: 4_000,
  async strike(strike) {
    const { database, random, shard } = strike;
    const delay = random.below(moveMs);
    const whom = random.below(3);
    const former = [...shard.members];
    const { hit, made, over } = await move(strike);
    await sleep(delay);
    const victim = [made, primaryOf(database, shard), random.pick(former)][whom] ?? random.pick(former);
    await victim.kill();
    const ended = over.finally(() => victim.revive());
    return {
      hit: `${hit}, ${victim.name}`,
      end: async () => {
        victim.revive();
        await ended;
      },
    };
  },
};
