import { dbShards, type DbShard } from '../kinds.ts';
import type { Operation } from '../operation.ts';
import type { SetKind } from '../replica-set/controller.ts';
import { primaryService } from '../replica-set/objects.ts';
import { services } from '../runtime/builtin.ts';
import { dbShardEntry, failoverOf, judgeDbShard } from './plan.ts';

/** DBShard as a replica set: a key range, and a Service for the primary. */
export const dbShardKind = ({ caches, directory }: Operation): SetKind<DbShard> => ({
  kind: 'db',
  resource: dbShards,
  cache: caches.dbShards,
  figures: ['keys', 'bytes'],
  failover: failoverOf,
  family: ({ spec }) => spec.database,
  judge: judgeDbShard,
  objects: (shard) => [{ resource: services, desired: primaryService(shard) }],
  publish: (shard, entry) => {
    const { name, namespace = '' } = shard.metadata;
    directory.set('db', { namespace, name }, entry && dbShardEntry(shard, entry));
  },
});
