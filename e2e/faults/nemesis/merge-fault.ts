import { setTimeout as sleep } from 'node:timers/promises';
import { primaryOf, type Merge } from '../database/database.ts';
import type { Fault, Strike } from './fault.ts';

const lookMs = 20;
/** A new shard has its keys after this time, or the fault is given up, milliseconds. */
const splitLimitMs = 15_000;
/** A merge takes about so long, milliseconds. */
const mergeMs = 800;

/** Two shards to be merged: if the shard has no neighbour, it is split first. */
const begin = async ({ database, shard }: Strike): Promise<Merge | undefined> => {
  const merge = await database.merge(shard);
  if (merge !== undefined) return merge;
  const upper = await database.split(shard, null);
  if (upper === undefined) return undefined;
  for (const deadline = performance.now() + splitLimitMs; performance.now() < deadline;) {
    await sleep(lookMs);
    const begun = await database.merge(upper);
    if (begun !== undefined) return begun;
  }
  return undefined;
};

/** What it hit; now and then it is taken back in its midst, and wanted again. */
const merged = async (strike: Strike): Promise<{ merge: Merge | undefined; hit: string }> => {
  const { random } = strike;
  const [isTakenBack, delay, pause] = [random.chance(0.3), random.below(mergeMs), random.below(mergeMs)];
  const merge = await begin(strike);
  if (merge === undefined) return { merge, hit: 'nobody' };
  const hit = `${merge.lower.name} takes over ${merge.upper.name}`;
  if (!isTakenBack) return { merge, hit };
  await sleep(delay);
  await merge.want(false);
  await sleep(pause);
  await merge.want(true);
  return { merge, hit: `${hit}, taken back for ${pause} ms` };
};

/** No fault for those who serve, as a split: it ends when it ends. */
export const mergeShards: Fault = {
  name: 'merge of two shards',
  needs: 'split',
  longestMs: 5_000,
  async strike(strike) {
    const { hit } = await merged(strike);
    return { hit, end: () => {} };
  },
};

export const mergeAndKill: Fault = {
  name: 'merge of two shards, and kill -9 of a primary on either side',
  needs: 'split',
  longestMs: 4_000,
  async strike(strike) {
    const { database, random } = strike;
    const [takesLower, delay, which] = [random.chance(0.5), random.below(mergeMs), random.below(3)];
    const { merge, hit } = await merged(strike);
    if (merge === undefined) return { hit, end: () => {} };
    await sleep(delay);
    const shard = takesLower ? merge.lower : merge.upper;
    const victim = primaryOf(database, shard) ?? shard.members[which % shard.members.length];
    await victim?.kill();
    return { hit: `${hit}, ${victim?.name}`, end: () => victim?.revive() };
  },
};
