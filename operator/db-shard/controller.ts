import { dbShards, refTo, type DbShard } from '../kinds.ts';
import type { Operation } from '../operation.ts';
import type { SetKind } from '../replica-set/controller.ts';
import { primaryService } from '../replica-set/objects.ts';
import { services } from '../runtime/builtin.ts';
import { AutoSplitter } from './auto-splitter.ts';
import { Departures } from './departures.ts';
import { dbShardEntry, failoverOf, judgeDbShard } from './plan.ts';
import { viewShard, type ShardView } from './shard-view.ts';
import { whyNotDeleted } from './split.ts';

/** Reads shards as their resources and their pods' heartbeats tell them. */
export const viewWith =
  ({ heartbeats }: Pick<Operation, 'heartbeats'>) =>
  (shard: DbShard): ShardView => {
    const { namespace } = refTo(shard);
    const hear = (pod: string) => {
      const report = heartbeats.get(namespace, pod)?.beat.replica;
      return report && { report, ageMs: heartbeats.ageMs(namespace, pod) };
    };
    return viewShard(shard, hear, Date.now());
  };

/** DBShard as a replica set: a key range that may change hands, and a Service for the primary. */
export const dbShardKind = (operation: Operation): SetKind<DbShard> => {
  const { caches, directory } = operation;
  const view = viewWith(operation);
  const around = (shard: DbShard): ShardView[] => caches.dbShards.list(refTo(shard).namespace).map(view);
  const departures = new Departures(operation);
  const splitter = new AutoSplitter(caches.dbShards);
  return {
    kind: 'db',
    resource: dbShards,
    cache: caches.dbShards,
    figures: ['keys', 'bytes'],
    failover: failoverOf,
    family: ({ spec }) => spec.database,
    shared: ({ status }) => [status?.range, status?.split],
    judge: (shard) => judgeDbShard(view(shard), around(shard)),
    objects: (shard) => [{ resource: services, desired: primaryService(shard) }],
    publish: (shard, entry) => directory.set('db', refTo(shard), entry && dbShardEntry(view(shard), entry)),
    whyNotDeleted: (shard) => whyNotDeleted(view(shard), around(shard)),
    whyNotFinished: (shard) => departures.whyNotFinished(shard, around(shard)),
    tend: (shard, context) => splitter.tend(shard, { own: view(shard), all: around(shard) }, context),
  };
};
