import { expect, it } from 'vitest';
import type { DbShard } from '../kinds.ts';
import { shardView } from './testing.ts';
import { UnaskedShards } from './unasked.ts';

const shard = (uid: string) => ({ metadata: { name: 'up', uid } }) as DbShard;
const emptied = shardView('up', { range: null, emptied: { at: 'm', epoch: 3 } });

it('a shard that nothing can ask any more stays one when its replicas are not heard, and another one of its name is none', () => {
  const shards = new UnaskedShards();
  expect(shards.recall(shard('one'), emptied).transactions).toBeNull();
  expect(shards.recall(shard('one'), { ...emptied, transactions: 2 }).transactions).toBe(2);
  expect(shards.recall(shard('one'), { ...emptied, transactions: 0 }).transactions).toBe(0);
  expect(shards.recall(shard('one'), emptied).transactions).toBe(0);
  expect(shards.recall(shard('two'), emptied).transactions).toBeNull();
  expect(shards.recall(shard('one'), shardView('up')).transactions).toBeNull();
});
