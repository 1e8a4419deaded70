import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refusedCommands } from '../commands/refused.ts';
import { plain, rawClient } from '../testing/raw-client.ts';
import { startRedisServer, type RedisServer } from '../testing/redis-server.ts';
import { serverCommands } from './front-end.ts';

/** The page that this test keeps true; `vitest -u` writes it anew. */
const page = join(import.meta.dirname, '..', '..', '..', 'docs', 'redis-commands.md');

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedisServer();
});

afterAll(async () => {
  await redis.stop();
});

const redisCommands = async (): Promise<string[]> => {
  const client = await rawClient(redis.port);
  const names = plain(await client.command('COMMAND', 'LIST')) as string[];
  client.close();
  return names
    .filter((name) => !name.includes('|'))
    .map((name) => name.toUpperCase())
    .sort();
};

test('each command of Redis either works or is refused with a reason, and the page says so', async () => {
  const [known, ours] = [await redisCommands(), serverCommands()];
  const undecided = known.filter((name) => ours.byName(name) === undefined && !refusedCommands.has(name));
  expect(undecided).toEqual([]);
  expect(known.filter((name) => ours.byName(name) !== undefined && refusedCommands.has(name))).toEqual([]);
  const own = ours.all.filter(({ name }) => !known.includes(name));
  const row = (name: string): string => {
    const command = ours.byName(name);
    return command
      ? `| ${name} | works | ${command.summary} |`
      : `| ${name} | refused | ${refusedCommands.get(name)} |`;
  };
  const served = known.filter((name) => ours.byName(name) !== undefined).length;
  const text = [
    '# Redis commands',
    '',
    `${served} of the ${known.length} commands of Redis 7.0 work; the others are refused with their reason. A test compares this page with`,
    'the command table of a real redis-server and with ours. Another compares replies to random commands on strings, hashes,',
    'sets, sorted sets and lists; it leaves out what depends on chance or time.',
    '',
    '| command | | |',
    '|---|---|---|',
    ...known.map(row),
    '',
    '## Commands of our own',
    '',
    '| command | |',
    '|---|---|',
    ...own.map(({ name, summary }) => `| ${name} | ${summary} |`),
    '',
  ].join('\n');
  const options = await resolveConfig(page);
  await expect(await format(text, { ...options, parser: 'markdown' })).toMatchFileSnapshot(page);
});
