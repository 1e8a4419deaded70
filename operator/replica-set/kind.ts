import type { ReplicatedKind } from '../../contract/names.ts';
import type { DbShardSpec, DbShardStatus } from '../../crds/db-shard.ts';
import type { SearchShardSpec, SearchShardStatus } from '../../crds/search-shard.ts';
import type { Custom } from '../kinds.ts';

/** The part of DBShard and SearchShard that makes them replica sets. */
export type ReplicaSetSpec = Pick<DbShardSpec & SearchShardSpec, 'replicas' | 'storage'>;
export type ReplicaSetStatus = Omit<DbShardStatus, 'keys'> & Omit<SearchShardStatus, 'documents'>;
export type ReplicaSet = Custom<ReplicaSetSpec, ReplicaSetStatus>;

/** The name of a replica's pod: numbers are never used twice. */
export const replicaPod = (kind: ReplicatedKind, name: string, number: number): string => `${kind}-${name}-${number}`;
/** The name of a replica's volume claim. */
export const replicaClaim = (pod: string): string => `data-${pod}`;

/** The label selector of a set's pods. */
export const setLabels = (kind: ReplicatedKind, name: string) => ({
  'app.kubernetes.io/name': `quartet-${kind}`,
  'app.kubernetes.io/instance': name,
});

/** The label selector in the form of the scale subresource. */
export const setSelector = (kind: ReplicatedKind, name: string): string =>
  Object.entries(setLabels(kind, name))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
