import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../../local/processes/until.ts';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
import { plain, rawClient, type RawClient } from '../testing/raw-client.ts';
import { runProgram, startProgram, type Outcome } from './testing/program.ts';
import { startS3 } from './testing/s3-server.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-backup-'));
let cluster: DbCluster;
let client: RawClient;
/** A backup that finds no NATS: it takes its time to say so. */
let withoutNats: Promise<Outcome>;

beforeAll(async () => {
  cluster = await startDbCluster({
    dir: join(dir, 'cluster'),
    shards: [
      { name: 'app-0', start: '', end: 'm' },
      { name: 'app-1', start: 'm', end: '' },
    ],
    members: 2,
  });
  client = await rawClient(cluster.port);
  withoutNats = runProgram(inNamespace(['backup', 'app', '--to', place]), {
    QUARTET_NATS_URL: 'nats://127.0.0.1:2',
  });
}, 120_000);

afterAll(async () => {
  client.close();
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
}, 30_000);

const environment = (): Record<string, string> => ({ QUARTET_NATS_URL: cluster.nats.url });
const inNamespace = (args: readonly string[]): string[] => [...args, '--namespace', 'test'];
const run = (...args: string[]): Promise<Outcome> => runProgram(inNamespace(args), environment());

const succeed = async (...args: string[]): Promise<string> => {
  const { code, output, problems } = await run(...args);
  expect(`${problems}${code}`).toBe('0');
  return output;
};

/** Shards of a new database of this test's cluster: the whole key space, cut at these keys. */
const addDatabase = async (database: string, ...cuts: string[]): Promise<RawClient> => {
  const starts = ['', ...cuts];
  for (const [i, start] of starts.entries()) {
    const plan = { name: `${database}-${i}`, start, end: starts[i + 1] ?? '', database };
    await cluster.addShard(plan, 1);
    await cluster.makeFirstPrimary(plan.name);
  }
  const reader = await rawClient(cluster.port);
  await until({ what: `the gateway to know ${database}`, timeoutMs: 20_000, everyMs: 50 }, async () => {
    const reply = plain(await reader.command('AUTH', database, 'x'));
    return reply === 'OK' ? true : undefined;
  });
  return reader;
};

const place = join(dir, 'backups');
const folderOf = (output: string): string => /(?:made|went on with) (\S+)/.exec(output)?.[1] ?? '';
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** What a client reads of a database of all types. */
const readAll = async (reader: RawClient): Promise<unknown> => {
  const commands = [
    ['DBSIZE'],
    ['MGET', 'a', 'z', '', 'binary'],
    ['HGETALL', 'hash'],
    ['LRANGE', 'list', '0', '-1'],
    ['SMEMBERS', 'a:set'],
    ['ZRANGE', 'zset', '0', '-1', 'WITHSCORES'],
    ['PEXPIRETIME', 'ttl'],
    ['PEXPIRETIME', 'large'],
    ['HLEN', 'large'],
    ['HGET', 'large', 'field-7'],
    ['LLEN', 'z:large'],
    ['LINDEX', 'z:large', '-1'],
    ['EXISTS', 'gone'],
  ];
  const replies: unknown[] = [];
  for (const command of commands) replies.push(plain(await reader.command(...command)));
  return replies;
};

test('a database of all types comes back in one with other ranges, and a second backup goes on with the first', async () => {
  const soon = String(Date.now() + 100_000_000);
  await client.command('MSET', 'a', '1', 'z', '2', '', 'under the empty key');
  await client.command('SET', 'binary', Buffer.from([0, 255, 13, 10]));
  await client.command('SET', 'ttl', 'x', 'PXAT', soon);
  await client.command('SET', 'gone', 'x', 'PX', '1');
  await client.command('HSET', 'hash', 'f', '1', 'g', '2');
  await client.command('RPUSH', 'list', 'one', 'two', 'three');
  await client.command('LPUSH', 'list', 'zero');
  await client.command('SADD', 'a:set', 'member');
  await client.command('ZADD', 'zset', '-inf', 'low', '1.5', 'mid', '+inf', 'high');
  // Larger than one command that restores it.
  const value = Buffer.alloc(2_000, 'v');
  for (let at = 0; at < 1_000; at += 100) {
    const fields = Array.from({ length: 100 }, (_, i) => [`field-${at + i}`, value]).flat();
    await client.command('HSET', 'large', ...fields);
    await client.command('RPUSH', 'z:large', ...Array.from({ length: 1_000 }, (_, i) => `element ${at * 10 + i}`));
  }
  await client.command('PEXPIREAT', 'large', soon);
  const first = await succeed('backup', 'app', '--to', place);
  expect(first).toMatch(/made .*\n\d+ bytes in [\d.]+ s; it can be restored/);
  await client.command('SET', 'a', 'later');
  const second = await succeed('backup', 'app', '--to', place);
  expect(folderOf(second)).toBe(folderOf(first));
  expect(second).toMatch(/went on with/);
  expect(await succeed('restore', '--from', place, '--check')).toMatch(/whole: \d+ files/);
  const reader = await addDatabase('copy', 'c', 'p');
  const restored = await succeed('restore', '--from', place, '--to', 'copy');
  expect(restored).toMatch(/copy holds 11 keys, compared by SHA-256/);
  expect(await readAll(reader)).toEqual(await readAll(client));
  expect(plain(await reader.command('GET', 'a'))).toBe('later');
  reader.close();
}, 120_000);

test('a database that holds a key, or does not exist, is not restored into', async () => {
  const full = await addDatabase('full');
  await full.command('SET', 'mine', 'precious');
  const refused = await run('restore', '--from', place, '--to', 'full');
  expect(refused.code).toBe(1);
  expect(refused.problems).toMatch(/database full is not free to be restored into: it holds 1 keys/);
  expect(plain(await full.command('GET', 'mine'))).toBe('precious');
  expect(plain(await full.command('DBSIZE'))).toBe(1);
  const missing = await run('restore', '--from', place, '--to', 'nowhere');
  expect(missing.code).toBe(1);
  expect(missing.problems).toMatch(/no database nowhere .*Make it first: DBShards with spec.database nowhere/);
  full.close();
}, 60_000);

/** The database that a restore was killed in the middle of. */
let again: RawClient;

test('while a restore may still be at work, or was killed a moment ago, no other one begins', async () => {
  again = await addDatabase('again', 'k');
  const { child, outcome } = startProgram(inNamespace(['restore', '--from', place, '--to', 'again']), environment());
  await until({ what: 'something to be restored', timeoutMs: 30_000, everyMs: 5 }, async () =>
    Number(plain(await again.command('DBSIZE'))) > 0 ? true : undefined,
  );
  child.kill('SIGKILL');
  await outcome;
  expect(Number(plain(await again.command('DBSIZE')))).toBeGreaterThan(0);
  const early = await run('restore', '--from', place, '--to', 'again');
  expect(early.problems).toMatch(/another restore writes into it; if that was interrupted, try again in \d+ s/);
}, 120_000);

test('what is damaged is refused before anything is written, and told by --check', async () => {
  const reader = await addDatabase('clean');
  const original = folderOf(await succeed('backup', 'app', '--to', place));
  const relative = original.slice(place.length + 1);
  const harm: Readonly<Record<string, (folder: string) => void>> = {
    'a bit of a snapshot': (folder) => flip(filesOf(folder).find((path) => path.includes('snapshot'))),
    'a bit of a log': (folder) => flip(filesOf(folder).find((path) => path.includes('log-'))),
    'a snapshot that is missing': (folder) => rmSync(filesOf(folder).find((path) => path.includes('snapshot')) ?? ''),
    'a log that is missing': (folder) => rmSync(filesOf(folder).find((path) => path.includes('log-')) ?? ''),
    'a log that is cut short': (folder) =>
      truncateSync(filesOf(folder).find((path) => path.includes('log-')) ?? '', 20),
    'a manifest that is cut short': (folder) => truncateSync(join(folder, 'manifest.json'), 500),
    'a bit of a manifest': (folder) => flip(join(folder, 'manifest.json')),
  };
  const said = /: 1 quartet: .*(damaged|missing|cut short|another one)/;
  const refuse = async ([what, act]: [string, (folder: string) => void]): Promise<void> => {
    const copy = join(dir, `harmed-${what.replaceAll(' ', '-')}`);
    cpSync(place, copy, { recursive: true });
    act(join(copy, relative));
    const checked = await run('restore', '--from', copy, '--check');
    expect(`${what}: ${checked.code} ${checked.problems}`).toMatch(said);
    // A restore reads them by the same way: one of each kind.
    if (!what.startsWith('a bit')) return;
    const restored = await run('restore', '--from', copy, '--to', 'clean');
    expect(`${what}: ${restored.code} ${restored.problems}`).toMatch(said);
    expect(restored.problems).not.toMatch(/\n {2,}at /);
  };
  await Promise.all(Object.entries(harm).map(refuse));
  expect(plain(await reader.command('DBSIZE'))).toBe(0);
  reader.close();
}, 180_000);

const flip = (path = ''): void => {
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 4;
  writeFileSync(path, bytes);
};

test('moments before the first backup, after its end, or none are said to be that, with those that there are', async () => {
  const refused = async (why: RegExp, ...args: string[]): Promise<number | null> => {
    const { code, problems } = await run(...args);
    expect(problems).toMatch(why);
    return code;
  };
  const restore = ['restore', '--from', place, '--check', '--at'];
  const codes = await Promise.all([
    refused(/is before the first backup, which begins at 20/, ...restore, '2020-01-01T00:00:00Z'),
    refused(/after the end of backup .*: nothing is known of what came later/, ...restore, '2099-01-01T00:00:00Z'),
    refused(/holds no finished backup/, 'restore', '--from', join(dir, 'nothing'), '--check'),
    refused(/no database none in namespace test; there is:/, 'backup', 'none', '--to', place),
    refused(/say where to/, 'backup', 'app'),
  ]);
  expect(codes).toEqual([1, 1, 1, 1, 2]);
}, 60_000);

test('when NATS is away it says so, soon', async () => {
  const { code, problems } = await withoutNats;
  expect(code).toBe(1);
  expect(problems).toMatch(/NATS at nats:\/\/127.0.0.1:2 does not answer/);
}, 60_000);

test('a restore that was killed is run again once the killed one is surely gone', async () => {
  await until({ what: 'the killed restore to be given up', timeoutMs: 60_000, everyMs: 2_000 }, async () => {
    const next = await run('restore', '--from', place, '--to', 'again');
    return next.code === 0 ? true : undefined;
  });
  expect(await readAll(again)).toEqual(await readAll(client));
  again.close();
}, 120_000);

/** Accounts in both shards: money moves between them in transactions over both, and none is made or lost. */
const accounts = ['a1', 'a2', 'z1', 'z2'];
const total = 4_000;

interface Second {
  readonly at: Date;
  readonly balances: unknown;
}

const transferUntil = async (ended: () => boolean, held: () => Promise<void>): Promise<void> => {
  const own = await rawClient(cluster.port);
  while (!ended()) {
    await held();
    const [from, to] = [accounts, accounts].map((each) => each[Math.floor(Math.random() * each.length)] ?? 'a1');
    own.write(`MULTI\r\nDECRBY ${from} 1\r\nINCRBY ${to} 1\r\nINCR count:${to}\r\nEXEC\r\n`);
    await own.many(5);
  }
  own.close();
};

test('in S3, while money moves between shards: each second is what it was, and at none is any made or lost', async () => {
  const s3 = await startS3(join(dir, 's3'));
  const bucket = ['s3://backups/nightly', '--endpoint', s3.endpoint];
  const backUp = async (): Promise<void> => {
    const { code, problems } = await runProgram(inNamespace(['backup', 'app', '--to', ...bucket]), {
      ...environment(),
      ...s3.env,
    });
    expect(`${problems}${code}`).toBe('0');
  };
  const restore = (...args: string[]): Promise<Outcome> =>
    runProgram(inNamespace(['restore', '--from', ...bucket, ...args]), { ...environment(), ...s3.env });
  await client.command('FLUSHALL');
  await client.command('MSET', ...accounts.flatMap((account) => [account, '1000']));
  let ended = false;
  let hold: Promise<void> | null = null;
  let waiting = 0;
  const held = async (): Promise<void> => {
    if (hold === null) return;
    waiting++;
    await hold;
    waiting--;
  };
  const workers = Array.from({ length: 4 }, () => transferUntil(() => ended, held));
  /** Nothing moves from before the end of a second until after it: so what is read then is what it was. */
  const stillSecond = async (): Promise<Second> => {
    await sleep(1_000 - (Date.now() % 1_000) + 700);
    const gate = Promise.withResolvers<void>();
    hold = gate.promise;
    await until({ what: 'transfers to pause', timeoutMs: 10_000, everyMs: 5 }, () =>
      waiting === 4 ? true : undefined,
    );
    const balances = plain(await client.command('MGET', ...accounts));
    const at = new Date(Math.floor(Date.now() / 1_000) * 1_000);
    await sleep(1_000 - (Date.now() % 1_000) + 100);
    hold = null;
    gate.resolve();
    return { at, balances };
  };
  const between: Date[] = [];
  await backUp();
  const seconds: Second[] = [];
  for (let i = 0; i < 2; i++) {
    seconds.push(await stillSecond());
    await sleep(1_500);
    if (i === 0) between.push(new Date(Date.now() - 700));
  }
  await backUp();
  ended = true;
  await Promise.all(workers);
  const check = await restore('--check');
  expect(`${check.problems}${check.code}`).toBe('0');
  const reader = await addDatabase('moment', 'p');
  const balancesAt = async (at: string | null): Promise<unknown> => {
    await reader.command('FLUSHALL');
    const { code, problems } = await restore('--to', 'moment', ...(at === null ? [] : ['--at', at]));
    expect(`${problems}${code}`).toBe('0');
    return plain(await reader.command('MGET', ...accounts));
  };
  const sum = (balances: unknown): number => (balances as string[]).reduce((all, each) => all + Number(each), 0);
  for (const { at, balances } of seconds) {
    expect(sum(balances)).toBe(total);
    expect(await balancesAt(at.toISOString().replace(/\.\d+/, ''))).toEqual(balances);
  }
  // In the midst of transfers.
  for (const at of between) expect(sum(await balancesAt(at.toISOString()))).toBe(total);
  expect(sum(await balancesAt(null))).toBe(total);
  reader.close();
  await s3.stop();
}, 240_000);
