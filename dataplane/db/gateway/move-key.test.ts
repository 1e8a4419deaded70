import { expect, test } from 'vitest';
import { encodeReply } from '../resp/reply-writer.ts';
import { Ranges } from './ranges.ts';
import { shardOf } from '../testing/range-histories.ts';
import { moveKey, type Move } from './move-key.ts';

const rangesOf = (...shards: ReturnType<typeof shardOf>[]): Ranges =>
  new Ranges(shards.map((shard) => ({ shard, report: null })));
const apart = rangesOf(shardOf('a', '', 'm'), shardOf('b', 'm', ''));
const together = rangesOf(shardOf('a'));

const versions = encodeReply(2, (writer) => {
  writer.array(1);
  writer.integer(7);
});
const dump = encodeReply(2, (writer) => writer.bulk(Buffer.from('value')));
const ok = encodeReply(2, (writer) => writer.ok());

test.each([
  ['before it is begun', 0],
  ['while its value is read', 2],
])('two shards that are merged %s: the one that has both keys renames by itself', async (_when, mergedAfter) => {
  const asked: string[] = [];
  const router: Move['router'] = {
    ranges: () => (asked.length >= mergedAfter ? together : apart),
    ask: async (shard, { payload }) => {
      const [, , command = ''] = payload.toString().split('\r\n');
      asked.push(`${command} ${shard}`);
      const replies: Readonly<Record<string, Buffer>> = { QVERSIONS: versions, QDUMP: dump };
      return { reply: replies[command] ?? ok, sequence: 1 };
    },
  };
  const move = { from: 'c', to: 'x', onlyIfFree: false, database: 'd', asker: undefined };
  const reply = await moveKey({ ...move, router, deadline: performance.now() + 5_000 });
  expect(reply.toString()).toBe('+OK\r\n');
  expect(asked.at(-1)).toBe('RENAME a');
  expect(asked).toHaveLength(mergedAfter + 1);
});
