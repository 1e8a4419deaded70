/* oxlint-disable unicorn/no-thenable -- `then` is a field of JSON here that holds a list, never a function */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databaseSubject } from '../../../contract/subjects.ts';
import { until } from '../../../local/processes/until.ts';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
import { plain, rawClient } from '../testing/raw-client.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-api-'));
let cluster: DbCluster;

beforeAll(async () => {
  cluster = await startDbCluster({
    dir,
    shards: [
      { name: 'app-0', start: '', end: 'm' },
      { name: 'app-1', start: 'm', end: '' },
    ],
  });
}, 120_000);

afterAll(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
}, 30_000);

type Answer = Record<string, unknown> & { sequence: number; next: number; version: number };

const ask = async (verb: string | undefined, body: unknown): Promise<Answer> => {
  const { nats } = cluster.operator;
  const reply = await nats.request(databaseSubject('test', 'app', verb), JSON.stringify(body), { timeout: 15_000 });
  return reply.json<Answer>();
};

describe('transactions', () => {
  test('compare, then, else over two shards', async () => {
    const create = {
      compare: [{ key: 'a:lock', target: 'exists', value: false }],
      then: [
        ['SET', 'a:lock', 'me'],
        ['SET', 'z:owner', 'me'],
      ],
      else: [['GET', 'z:owner']],
    };
    const first = await ask('txn', create);
    expect(first).toMatchObject({ succeeded: true, results: ['OK', 'OK'] });
    expect(Object.keys(first['sequences'] as object).sort()).toEqual(['app-0', 'app-1']);
    expect(await ask('txn', create)).toMatchObject({ succeeded: false, results: ['me'] });
    const { version } = await ask('get', { key: 'a:lock' });
    const swap = (is: number): object => ({
      compare: [{ key: 'a:lock', target: 'version', is: '=', value: is }],
      then: [['SET', 'a:lock', 'you']],
    });
    expect(await ask('txn', swap(version + 1))).toMatchObject({ succeeded: false, results: [] });
    expect(await ask('txn', swap(version))).toMatchObject({ succeeded: true, results: ['OK'] });
    const byValue = { compare: [{ key: 'a:lock', target: 'value', is: '>', value: 'x' }], then: [['DEL', 'a:lock']] };
    expect(await ask('txn', byValue)).toMatchObject({ succeeded: true, results: [1] });
  });

  test('counters of concurrent transactions add up', async () => {
    await ask(undefined, { commands: [['MSET', 'a:n', '0', 'z:n', '0']], atomic: true });
    const increment = {
      commands: [
        ['INCR', 'a:n'],
        ['INCR', 'z:n'],
      ],
      atomic: true,
    };
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(undefined, increment)));
    expect(answers.every(({ results }) => Array.isArray(results))).toBe(true);
    expect(await ask(undefined, { commands: [['MGET', 'a:n', 'z:n']], atomic: true })).toMatchObject({
      results: [['40', '40']],
    });
  });

  test('what is malformed is refused, and executes nothing', async () => {
    expect((await ask('txn', { compare: [{ key: 'a', target: 'nothing' }] }))['error']).toMatch(/^ERR malformed/);
    expect((await ask('txn', { then: [['NOSUCH', 'a']] }))['error']).toMatch(/^ERR unknown command/);
    expect((await ask('nosuch', {}))['error']).toMatch(/^ERR there is no/);
    expect((await ask('get', 'x'))['error']).toMatch(/^ERR malformed/);
    expect((await ask('txn', { then: [['SUNIONSTORE', 'a:s', 'z:s']] }))['error']).toMatch(/^CROSSSHARD/);
  });
});

describe('reads', () => {
  test('a range goes over shards, in order, with a limit', async () => {
    await ask(undefined, { commands: [['MSET', 'l:1', '1', 'l:2', '2', 'n:1', '3', 'n:2', '4']], atomic: true });
    const keys = (answer: Answer): unknown[] => (answer['items'] as { key: string }[]).map(({ key }) => key);
    expect(keys(await ask('range', { start: 'l:', end: 'n;' }))).toEqual(['l:1', 'l:2', 'n:1', 'n:2']);
    const limited = await ask('range', { start: 'l:', end: 'n;', limit: 3, reverse: true });
    expect(keys(limited)).toEqual(['n:2', 'n:1', 'l:2']);
    expect(limited['more']).toBe(true);
  });

  test('followers answer with the sequence that they have; a snapshot stays as it was', async () => {
    const { sequence } = await ask(undefined, { commands: [['SET', 'a:s', 'old']] });
    await ask(undefined, { commands: [['SET', 'a:s', 'new']] });
    expect(await ask('get', { key: 'a:s', freshness: 'linearizable' })).toMatchObject({ value: 'new' });
    const past = await until({ what: 'a member with that state', timeoutMs: 5_000 }, async () => {
      const answer = await ask('get', { key: 'a:s', freshness: { at: sequence } });
      return 'error' in answer ? undefined : answer;
    });
    expect(past).toMatchObject({ value: 'old', sequence });
    const bounded = await ask('get', { key: 'a:s', freshness: { maxLagMs: 5_000 } });
    expect(bounded.sequence).toBeGreaterThan(0);
    expect((await ask('get', { key: 'a:s', freshness: { at: 1_000_000_000 } }))['error']).toMatch(/^STALE/);
    expect((await ask('get', { key: 'a:s', freshness: { maxLagMs: 1 } }))['error'] ?? '').toMatch(/^(STALE|$)/);
  });

  test('a READONLY connection never goes back: it sees its own writes, and more', async () => {
    const client = await rawClient(cluster.port);
    expect(plain(await client.command('READONLY'))).toBe('OK');
    for (let i = 1; i <= 50; i++) {
      expect(plain(await client.command('SET', 'a:mine', String(i)))).toBe('OK');
      expect(plain(await client.command('GET', 'a:mine'))).toBe(String(i));
    }
    expect(plain(await client.command('READWRITE'))).toBe('OK');
    client.close();
  });
});

describe('changes', () => {
  test('every change of a prefix once and in order, from a sequence on, also after the primary has died', async () => {
    const { sequence } = await ask(undefined, { commands: [['SET', 'z:feed:0', '0']] });
    const seen: string[] = [];
    let next = sequence;
    const read = async (until: number): Promise<void> => {
      while (seen.length < until) {
        const answer = await ask('changes', { prefix: 'z:feed:', from: next, limit: 7, waitMs: 2_000 });
        if ('error' in answer) continue;
        for (const change of answer['changes'] as { kind: string; key: string; value: string }[]) {
          seen.push(`${change.kind} ${change.key} ${change.value}`);
        }
        next = answer.next;
      }
    };
    const write = async (from: number, to: number): Promise<void> => {
      for (let i = from; i <= to; i++)
        await ask(undefined, {
          commands: [
            ['SET', `z:feed:${i}`, String(i)],
            ['SET', 'z:other', '1'],
          ],
        });
    };
    await Promise.all([write(1, 30), read(31)]);
    const primary = await cluster.primary('app-1');
    await primary.kill();
    const survivor = (cluster.members.get('app-1') ?? []).find(({ pod }) => pod !== primary.pod)?.pod ?? '';
    await cluster.promote(survivor, 7);
    await Promise.all([write(31, 40), read(41)]);
    await ask(undefined, { commands: [['DEL', 'z:feed:3']] });
    await read(42);
    expect(seen).toEqual([...Array.from({ length: 41 }, (_, i) => `put z:feed:${i} ${i}`), 'delete z:feed:3 null']);
    const again = await ask('changes', { prefix: 'z:feed:', from: 1, limit: 1_000 });
    expect((again['changes'] as unknown[]).length).toBe(42);
    expect((await ask('changes', { prefix: '' }))['error']).toMatch(/^CROSSSHARD/);
  }, 60_000);
});
