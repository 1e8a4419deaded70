import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import type { DbShardEntry } from '../../../contract/directory.ts';
import { DbError } from '../db-error.ts';
import { askForChanges } from '../feed/watch.ts';
import type { Ranges } from '../gateway/ranges.ts';
import type { Router } from '../gateway/router.ts';
import { typeName } from '../store/row.ts';
import { bytesInJson, jsonOfBytes, keyOf } from './json.ts';

/**
 * `….changes`: what has changed in a shard since a sequence of its log; waits up to `waitMs` for a change.
 *
 *     { "prefix": "user:", "from": 18, "waitMs": 5000 }
 *     { "changes": [{ "seq": 18, "time", "kind": "put", "key", "type": "string", "value", "expireAt": 0 }], "next": 19, "sequence": 18, "shard": "app-0" }
 *
 * Ask again with `from` = `next`: nothing is left out or comes twice, whatever dies meanwhile. Without `from`: from now
 * on. The one who asks sets the pace. `shard` has to be named when the prefix lies in several, and with `from` when keys of
 * the shard have changed hands: a sequence is that of one shard. COMPACTED: the changes are not kept any more, or the keys
 * are in another shard; read the keys, and go on from the sequence of that read.
 */
export const changesRequest = z.object({
  prefix: bytesInJson.default(''),
  shard: z.string().optional(),
  from: z.number().int().positive().optional(),
  limit: z.number().int().min(1).max(1_000).default(100),
  waitMs: z.number().int().min(0).max(20_000).default(0),
});

/** The shard that holds all keys with a prefix. @throws DbError CROSSSHARD */
const shardOfPrefix = (ranges: Ranges, prefix: string): DbShardEntry => {
  const touched = ranges.withPrefix(prefix);
  const [shard, ...others] = touched;
  if (!shard) throw new DbError('CLUSTERDOWN', 'no shard of the database covers the prefix');
  if (others.length > 0) {
    const names = touched.map(({ name }) => name).join(', ');
    throw new DbError('CROSSSHARD', `keys with the prefix lie in several shards; name one of ${names}`);
  }
  return shard;
};

interface Place {
  readonly ranges: Ranges;
  readonly prefix: string;
  readonly shard: DbShardEntry;
}

/** Why nothing can be told of a shard from a sequence on; null: it can. */
const refusalOf = ({ from, shard: named }: z.infer<typeof changesRequest>, at: Place): DbError | null => {
  const { ranges, prefix, shard } = at;
  if (from === undefined) return null;
  if (named === undefined) {
    if (ranges.epochOf(shard) === 0) return null;
    return new DbError(
      'CROSSSHARD',
      `keys have come to shard ${shard.name} or left it: name the shard that 'from' is of`,
    );
  }
  const touched = ranges.withPrefix(prefix);
  if (touched.includes(shard)) return null;
  const names = touched.map(({ name }) => name).join(', ');
  return new DbError('COMPACTED', `keys with the prefix are in ${names} by now: read them anew and go on there`);
};

export const changes = async (
  { router, nats }: { router: Router; nats: NatsConnection },
  database: string,
  request: z.infer<typeof changesRequest>,
): Promise<object> => {
  const ranges = router.ranges(database);
  const prefix = keyOf(request.prefix);
  const named = ranges.shards.find(({ name }) => name === request.shard);
  if (request.shard !== undefined && !named) throw new DbError('CLUSTERDOWN', 'the database has no such shard');
  const shard = named ?? shardOfPrefix(ranges, prefix);
  const refusal = refusalOf(request, { ranges, prefix, shard });
  if (refusal) throw refusal;
  const from = request.from ?? router.sequenceOf(shard) + 1;
  const source = { nats, shard: () => shard, member: (entry: DbShardEntry) => router.anyMember(entry) };
  const encoded = Buffer.from(prefix, 'latin1').toString('base64');
  const { limit, waitMs } = request;
  const found = await askForChanges(source, { prefix: encoded, from, limit, waitMs });
  const items = found.changes.map((change) => ({
    ...change,
    key: jsonOfBytes(Buffer.from(change.key, 'latin1')),
    type: change.kind === 'put' ? (typeName(change.type) ?? 'unknown') : null,
    value: change.value && jsonOfBytes(change.value),
  }));
  return { changes: items, next: found.next, sequence: found.sequence, shard: shard.name };
};
