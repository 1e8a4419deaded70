import { isEmptyRange } from '../contract/key-range.ts';
import type { DbShardSpec, DbShardStatus } from '../crds/db-shard.ts';
import { LocalError } from '../local/errors.ts';
import type { Cluster } from './cluster.ts';

/** A DBShard as kubectl prints it. */
export interface DbShard {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly generation?: number;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: DbShardSpec;
  readonly status?: DbShardStatus;
}

/** All shards of a namespace. @throws LocalError */
export const readDbShards = async (cluster: Cluster, namespace: string): Promise<readonly DbShard[]> => {
  const text = await cluster.kubectl(['get', 'dbshards', '-n', namespace, '-o', 'json']);
  return (JSON.parse(text) as { items: readonly DbShard[] }).items;
};

/** The one of that name. @throws LocalError `unknown-name` */
export const pickDbShard = (shards: readonly DbShard[], name: string): DbShard => {
  const found = shards.find(({ metadata }) => metadata.name === name);
  if (found !== undefined) return found;
  const names = shards.map(({ metadata }) => metadata.name).join(', ');
  throw new LocalError(
    'unknown-name',
    `there is no DBShard ${name}; there ${names === '' ? 'is none' : `are ${names}`}`,
  );
};

/** A condition of a shard. */
export const conditionOf = ({ status }: DbShard, type: string) => status?.conditions?.find((one) => one.type === type);

type Keys = { readonly start: string; readonly end: string } | undefined;

/** It has keys, and not none any more. */
export const holdsKeys = (range: Keys): boolean => range !== undefined && !isEmptyRange(range);

/** A range of keys for people. */
export const showRange = (range: Keys): string =>
  range === undefined || !holdsKeys(range)
    ? 'no keys'
    : `["${range.start}", ${range.end === '' ? 'end' : `"${range.end}"`})`;
