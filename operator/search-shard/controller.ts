import { searchShards, type SearchShard } from '../kinds.ts';
import type { Operation } from '../operation.ts';
import type { SetKind } from '../replica-set/controller.ts';
import { defaultFailover } from '../replica-set/observe.ts';
import { judgeSearchShard, searchShardEntry } from './plan.ts';

/** SearchShard as a replica set: an ordinal of an index. */
export const searchShardKind = ({ caches, directory }: Operation): SetKind<SearchShard> => ({
  kind: 'search',
  resource: searchShards,
  cache: caches.searchShards,
  figures: ['documents', 'bytes'],
  failover: () => defaultFailover,
  family: ({ spec }) => spec.index,
  judge: judgeSearchShard,
  objects: () => [],
  publish: (shard, entry) => {
    const { name, namespace = '' } = shard.metadata;
    directory.set('search', { namespace, name }, entry && searchShardEntry(shard, entry));
  },
});
