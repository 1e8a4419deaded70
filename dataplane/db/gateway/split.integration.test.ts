/* oxlint-disable unicorn/no-thenable -- `then` is a field of JSON here that holds a list, never a function */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { databaseSubject } from '../../../contract/subjects.ts';
import { until } from '../../../local/processes/until.ts';
import { encodeCommand } from '../resp/frame.ts';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
import { plain, rawClient, type RawClient } from '../testing/raw-client.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-moved-'));
const steady = Array.from({ length: 400 }, (_, i) => `${'by'[i % 2]}:steady:${String(i).padStart(3, '0')}`).sort();
let cluster: DbCluster;
let setter: RawClient;
/** Who watches while the shard is split. */
const watching: RawClient[] = [];

beforeAll(async () => {
  cluster = await startDbCluster({ dir, members: 2 });
  setter = await rawClient(cluster.port);
  for (const key of steady) await setter.command('SET', key, 'v'.repeat(1_000));
}, 120_000);

afterAll(async () => {
  setter.close();
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
}, 30_000);

const ask = async (client: RawClient, ...command: string[]): Promise<unknown> =>
  plain(await client.command(...command));

const overNats = async (verb: string | undefined, body: unknown): Promise<Record<string, unknown>> => {
  const { nats } = cluster.operator;
  const reply = await nats.request(databaseSubject('test', 'app', verb), JSON.stringify(body), { timeout: 20_000 });
  return reply.json();
};

/** One client's work, again and again; it throws when something is not as promised. */
type Work = (client: RawClient, turn: number) => Promise<void>;

const isSteady = (key: string): boolean => key.includes(':steady:');

const works: Readonly<Record<string, Work>> = {
  'a pipeline that writes the same keys keeps its order': async (client, turn) => {
    const values = Array.from({ length: 40 }, (_, i) => String(turn * 100 + i));
    client.write(
      Buffer.concat(values.flatMap((value) => ['c', 'z'].map((key) => encodeCommand(['SET', `${key}:last`, value])))),
    );
    client.write(Buffer.concat(['c', 'z'].map((key) => encodeCommand(['GET', `${key}:last`]))));
    const replies = (await client.many(82)).map(plain);
    expect(replies).toEqual([...Array.from({ length: 80 }, () => 'OK'), values.at(-1), values.at(-1)]);
  },
  'MSET and MGET of keys that come apart, with more behind them': async (client, turn) => {
    const value = String(turn);
    const commands = [
      ['MSET', 'd:pair', value, 'x:pair', value],
      ['SET', 'x:pair', `${value}!`],
      ['MGET', 'd:pair', 'x:pair'],
      ['DEL', 'd:pair', 'x:pair', 'nothing'],
      ['EXISTS', 'd:pair', 'x:pair'],
    ];
    client.write(Buffer.concat(commands.map((command) => encodeCommand(command))));
    expect((await client.many(5)).map(plain)).toEqual(['OK', 'OK', [value, `${value}!`], 2, 0]);
  },
  'transactions are whole': async (client, turn) => {
    for (const key of ['e:account', 'w:account']) await ask(client, 'SETNX', key, '0');
    client.write(
      Buffer.concat(
        [['MULTI'], ['INCR', 'e:account'], ['INCR', 'w:account'], ['EXEC'], ['GET', 'w:account']].map((command) =>
          encodeCommand(command),
        ),
      ),
    );
    const replies = (await client.many(5)).map(plain);
    expect(replies).toEqual(['OK', 'QUEUED', 'QUEUED', [turn + 1, turn + 1], String(turn + 1)]);
  },
  'WATCH tells nil or runs': async (client, turn) => {
    await ask(client, 'WATCH', 'f:watched', 'v:watched');
    await ask(client, 'MULTI');
    await ask(client, 'SET', 'f:watched', String(turn));
    await ask(client, 'SET', 'v:watched', String(turn));
    const outcome = await ask(client, 'EXEC');
    if (outcome !== null) expect(outcome).toEqual(['OK', 'OK']);
    const [left, right] = (await ask(client, 'MGET', 'f:watched', 'v:watched')) as [string, string];
    expect(left).toBe(right);
  },
  'RENAME across': async (client, turn) => {
    const [from = '', to = ''] = turn % 2 === 0 ? ['g:name', 'u:name'] : ['u:name', 'g:name'];
    await ask(client, 'SETNX', from, 'kept');
    expect(await ask(client, 'RENAME', from, to)).toBe('OK');
    expect(await ask(client, 'GET', to)).toBe('kept');
  },
  'SCAN returns every key that is there all the time': async (client) => {
    const seen = new Set<string>();
    for (let cursor = '0', first = true; first || cursor !== '0'; first = false) {
      const [next, keys] = (await ask(client, 'SCAN', cursor, 'COUNT', '13')) as [string, string[]];
      for (const key of keys.filter(isSteady)) seen.add(key);
      cursor = next;
    }
    expect([...seen].sort()).toEqual(steady);
  },
  'QRANGE in pages, forwards and backwards': async (client, turn) => {
    const reverse = turn % 2 === 0 ? [] : ['REVERSE'];
    const rows = (await ask(client, 'QRANGE', 'b:steady:', 'z', 'LIMIT', '1000', ...reverse)) as [string, string][];
    const keys = rows.map(([key]) => key).filter(isSteady);
    expect(reverse.length === 0 ? keys : keys.toReversed()).toEqual(steady);
  },
  'KEYS sees all': async (client) => {
    const keys = (await ask(client, 'KEYS', '*:steady:*')) as string[];
    expect(keys.sort()).toEqual(steady);
  },
  'DBSIZE counts every key once': async (client) => {
    const size = Number(await ask(client, 'DBSIZE'));
    expect(size).toBeGreaterThanOrEqual(steady.length);
    expect(size).toBeLessThan(steady.length + 20);
  },
  'a READONLY connection sees its own writes, and no key twice': async (client, turn) => {
    await ask(client, 'READONLY');
    await ask(client, 'SET', 't:own', String(turn));
    expect(await ask(client, 'GET', 't:own')).toBe(String(turn));
    expect(await ask(client, 'MGET', steady[0] ?? '', steady.at(-1) ?? '')).toEqual([
      'v'.repeat(1_000),
      'v'.repeat(1_000),
    ]);
  },
  'the API reads, ranges and transacts': async (_client, turn) => {
    const found = await overNats('get', { key: 'y:steady:001' });
    expect(found).toMatchObject({ found: true, type: 'string' });
    const lagged = await overNats('range', { start: 'b:', limit: 1_000, freshness: { maxLagMs: 5_000 } });
    const keys = (lagged['items'] as { key: string }[]).map(({ key }) => key).filter(isSteady);
    expect(keys).toEqual(steady);
    const wrote = await overNats('txn', {
      compare: [{ key: 'h:api', target: 'value', is: '!=', value: 'never' }],
      then: [
        ['SET', 'h:api', turn],
        ['SET', 's:api', turn],
      ],
    });
    expect(wrote).toMatchObject({ succeeded: true, results: ['OK', 'OK'] });
    const both = await overNats(undefined, {
      commands: [
        ['MGET', 'h:api', 's:api'],
        ['EXISTS', 'h:api', 's:api'],
      ],
    });
    expect(both['results']).toEqual([[String(turn), String(turn)], 2]);
  },
};

test('clients of every kind see a split as a slower answer', async () => {
  const watcher = await rawClient(cluster.port);
  watching.push(watcher);
  await ask(watcher, 'QWATCH', '');
  const stop = new AbortController();
  const turns: Record<string, number> = {};
  const run = async ([name, work]: [string, Work]): Promise<void> => {
    const client = await rawClient(cluster.port);
    for (let turn = 0; !stop.signal.aborted; turn++) {
      try {
        await work(client, turn);
      } catch (error) {
        throw new Error(`${name}, turn ${turn}: ${String(error)}`, { cause: error });
      }
      turns[name] = turn + 1;
    }
    client.close();
  };
  const running = Promise.all(Object.entries(works).map(run));
  const atLeast = (more: number, since: Record<string, number>) => (): true | undefined =>
    Object.keys(works).every((name) => (turns[name] ?? 0) >= (since[name] ?? 0) + more) ? true : undefined;
  const split = async (): Promise<void> => {
    await until({ what: 'all clients to be at work', timeoutMs: 60_000 }, atLeast(2, {}));
    await cluster.addShard({ name: 'app-1', start: '', end: '', splitFrom: { shard: 'app-0', at: 'm' } }, 2);
    await cluster.makeFirstPrimary('app-1');
    await until({ what: 'the split to end', timeoutMs: 60_000 }, () => {
      const range = cluster.report('app-1-m0')?.range;
      return range !== undefined && range.epoch > 0 && range.intake === undefined ? true : undefined;
    });
    await until({ what: 'all clients to go on', timeoutMs: 60_000 }, atLeast(2, { ...turns }));
  };
  await Promise.race([split(), running]).finally(() => stop.abort());
  await running;
  const shards = String(await ask(setter, 'INFO', 'shards'));
  expect(shards).toMatch(/name=app-0,from=,to=m,epoch=1,/);
  expect(shards).toMatch(/name=app-1,from=m,to=,epoch=1,/);
}, 180_000);

test('a sequence of before a split is not taken for one of the new shard', async () => {
  const before = await overNats('changes', { prefix: 'y:', from: 1 });
  expect(before['error']).toMatch(/^CROSSSHARD .*app-1/);
  expect(await overNats('changes', { prefix: 'y:', shard: 'app-0', from: 1 })).toHaveProperty(
    'error',
    expect.stringMatching(/^COMPACTED .*app-1/),
  );
  const now = await overNats('changes', { prefix: 'y:' });
  await ask(setter, 'SET', 'y:changed', '1');
  const found = await overNats('changes', { prefix: 'y:', shard: now['shard'], from: now['next'], waitMs: 5_000 });
  expect((found['changes'] as { key: string }[]).at(-1)).toMatchObject({ key: 'y:changed', value: '1' });
});

test('a watch ends at the split and says what to do; begun anew it tells each change once, and nothing of what is swept', async () => {
  const [gone] = watching.splice(0);
  if (!gone) throw new Error('nobody watched');
  const told: unknown[] = [];
  for (let message = plain(await gone.next()); ; message = plain(await gone.next())) {
    told.push(message);
    if (String((message as unknown[])[1]).startsWith('-')) break;
  }
  expect(told.at(-1)).toEqual(['qwatch', expect.stringMatching(/^-COMPACTED .*now app-0, app-1.*watch without FROM$/)]);
  expect(await ask(gone, 'QWATCH', 'y:', 'FROM', '1')).toMatch(/^-CROSSSHARD .*say FROM app-1:1$/);
  const cursor = String(await ask(gone, 'QWATCH', '', 'FROM', 'app-0:1'));
  expect(cursor).toMatch(/^-COMPACTED/);
  expect(await ask(gone, 'QWATCH', '')).toMatch(/^app-0:\d+,app-1:\d+$/);
  const expected = ['b:told', 'y:told'].flatMap((key) => [`put ${key}`, `delete ${key}`]);
  for (const key of ['b:told', 'y:told'])
    for (const words of [
      ['SET', key, '1'],
      ['DEL', key],
    ])
      await ask(setter, ...words);
  const rows: string[] = [];
  while (rows.filter((row) => row.endsWith(':told')).length < expected.length) {
    const [, , changes] = plain(await gone.next()) as [string, string, [string, string][]];
    rows.push(...changes.map(([kind, key]) => `${kind} ${key}`));
  }
  for (const half of ['b:', 'y:']) {
    const ofHalf = (row: string): boolean => row.includes(` ${half}told`);
    expect(rows.filter(ofHalf)).toEqual(expected.filter(ofHalf));
  }
  expect(rows.filter((row) => row.startsWith('delete') && row.includes(':steady:'))).toEqual([]);
  gone.close();
});

test('FLUSHALL empties both halves', async () => {
  expect(await ask(setter, 'FLUSHALL')).toBe('OK');
  expect(await ask(setter, 'DBSIZE')).toBe(0);
});
