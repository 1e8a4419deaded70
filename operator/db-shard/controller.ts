import { dbShards, refTo, type DbShard } from '../kinds.ts';
import type { Operation } from '../operation.ts';
import type { SetKind } from '../replica-set/controller.ts';
import type { SetEntry } from '../replica-set/plan.ts';
import { primaryService } from '../replica-set/objects.ts';
import { services } from '../runtime/builtin.ts';
import { AutoSplitter } from './auto-splitter.ts';
import { whyNotDeleted } from './deletion.ts';
import { Departures } from './departures.ts';
import { mergeOf } from './merge.ts';
import { dbShardEntry, failoverOf, judgeDbShard } from './plan.ts';
import { viewShard, type ShardView } from './shard-view.ts';
import { TakeBacks } from './take-back.ts';
import { UnaskedShards } from './unasked.ts';

/** Whether a merge that was taken back is given up is known by time, too: looked at again after this time. */
const givingUpMs = 1_000;

/** Reads shards as their resources and their pods' heartbeats tell them. */
const viewWith = ({ heartbeats }: Pick<Operation, 'heartbeats'>, takeBacks: TakeBacks) => {
  const unasked = new UnaskedShards();
  return (shard: DbShard): ShardView => {
    const { namespace } = refTo(shard);
    const hear = (pod: string) => {
      const report = heartbeats.get(namespace, pod)?.beat.replica;
      return report && { report, ageMs: heartbeats.ageMs(namespace, pod) };
    };
    const senses = { hear, hasGivenUp: takeBacks.isAnswered(shard), now: Date.now() };
    return unasked.recall(shard, viewShard(shard, senses));
  };
};

/** DBShard as a replica set: a key range that may change hands, and a Service for the primary. */
export const dbShardKind = (operation: Operation): SetKind<DbShard> => {
  const { caches, directory } = operation;
  const takeBacks = new TakeBacks(operation);
  const view = viewWith(operation, takeBacks);
  const around = (shard: DbShard): ShardView[] => caches.dbShards.list(refTo(shard).namespace).map(view);
  const departures = new Departures(operation);
  const splitter = new AutoSplitter(caches.dbShards);
  const publish = (shard: DbShard, entry: SetEntry | null): void => {
    const document = entry && dbShardEntry(view(shard), around(shard), entry);
    takeBacks.note(shard, document !== null && document.mergeFrom !== null);
    directory.set('db', refTo(shard), document);
  };
  return {
    kind: 'db',
    resource: dbShards,
    cache: caches.dbShards,
    figures: ['keys', 'bytes'],
    failover: failoverOf,
    family: ({ spec }) => spec.database,
    shared: ({ status }) => [status?.range, status?.split, status?.merge],
    judge: (shard) => judgeDbShard(view(shard), around(shard)),
    objects: (shard) => [{ resource: services, desired: primaryService(shard) }],
    publish,
    whyNotDeleted: (shard) => whyNotDeleted(view(shard), around(shard)),
    whyNotFinished: (shard) => departures.whyNotFinished(shard, around(shard)),
    tend: async (shard, context) => {
      const [own, all] = [view(shard), around(shard)];
      const merge = mergeOf(own, all);
      const again = await splitter.tend(shard, { own, all }, context);
      return merge.type === 'goes-on' && merge.phase === 'GivingUp' ? Math.min(givingUpMs, again ?? givingUpMs) : again;
    },
  };
};
