import { z } from 'zod';
import { heartbeat } from '../../contract/heartbeat.ts';
import { reasonOf } from '../../local/errors.ts';
import type { Cluster } from '../cluster.ts';

const ms = z.number().nonnegative();

/** What an operator tells of a replica set on its page `/live/…`. */
const live = z.object({
  members: z.array(z.object({ beat: heartbeat, ageMs: ms, upForMs: ms, stateForMs: ms })),
  log: z.object({ entries: z.number(), bytes: z.number() }).nullable(),
});
export type Live = z.infer<typeof live>;
export type LiveMember = Live['members'][number];

/** What is heard of a shard now, or why that cannot be told: then status has to do. */
export const readLive = async (cluster: Cluster, namespace: string, name: string): Promise<Live | string> => {
  try {
    return live.parse(JSON.parse(await cluster.operatorPage(`/live/db/${namespace}/${name}`)));
  } catch (error) {
    return reasonOf(error).split('\n')[0] ?? '';
  }
};
