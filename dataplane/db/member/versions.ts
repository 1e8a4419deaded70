import type { ShardCommand } from '../commands/command.ts';
import { qversions } from '../commands/shard-reads.ts';
import type { Removals } from './removals.ts';

/**
 * The member's part of WATCH: the version of each key. A key that does not exist has a negative one: since when this
 * primary knows of no removal of it.
 */
export const versionsCommand = (removals: Removals): ShardCommand => ({
  ...qversions,
  read(store, frame, reply, now) {
    reply.array(frame.count - 1);
    for (let i = 1; i < frame.count; i++) {
      const row = store.get(frame.key(i));
      const exists = row !== undefined && (row.expireAt === 0 || row.expireAt > now);
      reply.integer(exists ? row.version : -removals.stamp);
    }
  },
});
