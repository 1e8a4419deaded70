/* oxlint-disable unicorn/no-thenable -- `then` is a field of JSON here that holds a list, never a function */
import { expect } from 'vitest';
import { databaseSubject } from '../../../contract/subjects.ts';
import { until } from '../../../local/processes/until.ts';
import { encodeCommand } from '../resp/frame.ts';
import type { DbCluster } from './cluster.ts';
import { plain, rawClient, type RawClient } from './raw-client.ts';

/** Keys that are there all the time, and what they hold. */
export const steady = Array.from(
  { length: 400 },
  (_, i) => `${'by'[i % 2]}:steady:${String(i).padStart(3, '0')}`,
).sort();
export const steadyValue = 'v'.repeat(1_000);

export const ask = async (client: RawClient, ...command: string[]): Promise<unknown> =>
  plain(await client.command(...command));

/** A request of a verb to the database over NATS. */
export type OverNats = (verb: string | undefined, body: unknown) => Promise<Record<string, unknown>>;

export const overNatsOf =
  (cluster: DbCluster): OverNats =>
  async (verb, body) => {
    const { nats } = cluster.operator;
    const reply = await nats.request(databaseSubject('test', 'app', verb), JSON.stringify(body), { timeout: 20_000 });
    return reply.json();
  };

/** One client's work, again and again; it throws when something is not as promised. */
type Work = (client: RawClient, turn: number, overNats: OverNats) => Promise<void>;

const isSteady = (key: string): boolean => key.includes(':steady:');

/** What clients of every kind do. */
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
    expect(await ask(client, 'MGET', steady[0] ?? '', steady.at(-1) ?? '')).toEqual([steadyValue, steadyValue]);
  },
  'the API reads, ranges and transacts': async (_client, turn, overNats) => {
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

/** Lets clients of every kind work while something happens. @throws what one of them found that is not as promised */
export const workWhile = async (cluster: DbCluster, happens: () => Promise<void>): Promise<void> => {
  const overNats = overNatsOf(cluster);
  const stop = new AbortController();
  const turns: Record<string, number> = {};
  const run = async ([name, work]: [string, Work]): Promise<void> => {
    const client = await rawClient(cluster.port);
    for (let turn = 0; !stop.signal.aborted; turn++) {
      try {
        await work(client, turn, overNats);
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
  const story = async (): Promise<void> => {
    await until({ what: 'all clients to be at work', timeoutMs: 60_000 }, atLeast(2, {}));
    await happens();
    await until({ what: 'all clients to go on', timeoutMs: 60_000 }, atLeast(2, { ...turns }));
  };
  await Promise.race([story(), running]).finally(() => stop.abort());
  await running;
};
