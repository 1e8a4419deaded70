import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocalDatabase, type LocalDatabase } from '../testing/local-database.ts';
import { randomCommand } from '../testing/random-commands.ts';
import { plain, rawClient, type RawClient } from '../testing/raw-client.ts';
import { startRedisServer, type RedisServer } from '../testing/redis-server.ts';

let redis: RedisServer;
let database: LocalDatabase;

beforeAll(async () => {
  redis = await startRedisServer();
  database = await startLocalDatabase();
});

afterAll(async () => {
  await database.stop();
  await redis.stop();
});

const text = (reply: unknown): string =>
  JSON.stringify(reply, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));

/** Replies whose order means nothing: Redis keeps the order of insertion while a collection is small. */
const unordered = new Set(['SMEMBERS', 'SINTER', 'SUNION', 'SDIFF', 'HKEYS', 'HVALS']);
const pairs = new Set(['HGETALL']);

const sorted = (items: readonly unknown[], width: number): string => {
  const groups = Array.from({ length: items.length / width }, (_, i) => text(items.slice(i * width, (i + 1) * width)));
  return text(groups.sort());
};

const comparable = ([name = '']: readonly string[], reply: unknown): string => {
  if (Array.isArray(reply) && unordered.has(name)) return sorted(reply, 1);
  if (Array.isArray(reply) && pairs.has(name)) return sorted(reply, 2);
  if (typeof reply === 'object' && reply !== null && pairs.has(name)) return sorted(Object.entries(reply).flat(), 2);
  return text(reply);
};

const play = async (client: RawClient, commands: readonly (readonly string[])[]): Promise<string[]> => {
  const answers: string[] = [];
  for (const command of commands) answers.push(comparable(command, plain(await client.command(...command))));
  return answers;
};

test.each([2, 3])('any commands are answered as Redis answers them, RESP%i', async (protocol) => {
  const [ours, theirs] = [await rawClient(database.port), await rawClient(redis.port)];
  for (const client of [ours, theirs]) await client.command('HELLO', String(protocol));
  await fc.assert(
    fc.asyncProperty(fc.array(randomCommand, { minLength: 10, maxLength: 60, size: 'max' }), async (commands) => {
      for (const client of [ours, theirs]) await client.command('FLUSHALL');
      const [ourReplies, theirReplies] = await Promise.all([play(ours, commands), play(theirs, commands)]);
      const paired = (replies: readonly string[]): string[] =>
        replies.map((reply, i) => `${commands[i]?.join(' ')} → ${reply}`);
      expect(paired(ourReplies)).toEqual(paired(theirReplies));
    }),
    { numRuns: Number(process.env['QUARTET_DIFFERENTIAL_RUNS'] ?? 60) },
  );
  for (const client of [ours, theirs]) client.close();
});
