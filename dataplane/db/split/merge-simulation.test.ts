import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ListedShard } from '../testing/listed-shard.ts';
import { border, keys, MergingShards, type Action, type Fault, type Words } from '../testing/merging-shards.ts';

const value = fc.constantFrom('1', '22', '333');
const wordsOn = (key: fc.Arbitrary<string>): fc.Arbitrary<Words> =>
  fc.oneof(
    fc.tuple(fc.constant('SET'), key, value),
    fc.tuple(fc.constant('APPEND'), key, value),
    fc.tuple(fc.constant('HSET'), key, value, value),
    fc.tuple(fc.constant('HDEL'), key, value),
    fc.tuple(fc.constant('RPUSH'), key, value),
    fc.tuple(fc.constant('LPOP'), key),
    fc.tuple(fc.constant('ZADD'), key, value, value),
    fc.tuple(fc.constant('SADD'), key, value),
    { weight: 2, arbitrary: fc.tuple(fc.constant('DEL'), key) },
    fc.tuple(fc.constant('RENAME'), key, key),
    fc.tuple(fc.constant('PEXPIREAT'), key, fc.constantFrom('9999999999000', '9999999999999')),
    fc.tuple(fc.constant('PERSIST'), key),
  );
const words = wordsOn(fc.constantFrom(...keys));
const lowerWords = wordsOn(fc.constantFrom(...keys.filter((key) => key < border)));
const upperWords = wordsOn(fc.constantFrom(...keys.filter((key) => key >= border)));
const faults: fc.Arbitrary<Fault> = fc.oneof(
  fc.constant('none' as const),
  fc.record({
    of: fc.constantFrom('lower' as const, 'upper' as const),
    code: fc.constantFrom('not-primary' as const, 'unknown-outcome' as const),
  }),
);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), words }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('across' as const),
      lower: lowerWords,
      upper: upperWords,
      commits: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('step' as const),
      fault: faults,
      meanwhile: fc.array(words, { maxLength: 3 }),
      dies: fc.constantFrom('nobody' as const, 'nobody' as const, 'lower' as const, 'upper' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...(['restart lower', 'restart upper', 'trim', 'sweep', 'expire', 'take back', 'want', 'want'] as const),
      ),
    }),
  },
);

const reads = [
  ['TYPE'],
  ['PEXPIRETIME'],
  ['GET'],
  ['HGETALL'],
  ['LRANGE', '0', '-1'],
  ['ZRANGE', '0', '-1'],
  ['SCARD'],
] as const;

const shown = async (shard: ListedShard, name: string): Promise<string[]> =>
  Promise.all(reads.map(async ([read, ...rest]) => (await shard.ask([read, name, ...rest])).bytes.toString()));

const actAndLook = async (world: MergingShards, next: Action): Promise<void> => {
  await world.act(next);
  for (const name of keys) await world.serving(name);
};

const judge = async (world: MergingShards): Promise<void> => {
  for (const name of keys) {
    const shard = await world.serving(name);
    expect(shard).toBe(world.lower.shard);
    if (shard) expect(await shown(shard, name), name).toEqual(await shown(world.reference, name));
  }
  const [all, expected] = await Promise.all([world.lower.shard, world.reference].map((each) => each.ask(['DBSIZE'])));
  expect(all?.bytes.toString()).toBe(expected?.bytes.toString());
  for (const { store } of world.shards) expect([...store.notes.keys()]).toEqual(['range']);
  for (const { store } of world.shards.slice(1)) expect([...store.rows({})]).toEqual([]);
};

test('shards part and join again: whoever fails between any two steps, every key has one shard at most, and no acknowledged write is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(action, { maxLength: 20 }), { minLength: 1, maxLength: 2 }), async (rounds) => {
      const world = new MergingShards();
      try {
        await world.serving('a');
        for (const actions of rounds) {
          await world.split();
          for (const each of actions) await actAndLook(world, each);
          await world.finish();
          await judge(world);
        }
      } finally {
        await world.close();
      }
    }),
    { numRuns: Number(process.env['QUARTET_SPLIT_RUNS'] ?? 30) },
  );
}, 120_000);
