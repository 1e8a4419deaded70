import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RangeReport } from '../../../contract/heartbeat.ts';
import { until } from '../../../local/processes/until.ts';
import { answerStatus } from '../batch/answer-batch.ts';
import { encodeTransaction, requestKind, type WatchedKey } from '../batch/request-batch.ts';
import { encodeCommand } from '../resp/frame.ts';
import { encodeStep, type Step } from '../two-phase/step.ts';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
import { MemberClient } from '../testing/member-client.ts';
import { plain } from '../testing/raw-client.ts';
import { Wanderer } from '../testing/split-load.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-split-'));
let cluster: DbCluster;
let client: Wanderer;
let direct: MemberClient;

beforeAll(async () => {
  cluster = await startDbCluster({ dir, members: 1 });
  client = new Wanderer(cluster);
  direct = new MemberClient(cluster.operator.nats);
});

afterAll(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

const ask = async (...words: string[]): Promise<unknown> => plain(await client.reply(...words));

const rangeOf = (shard: string): RangeReport | undefined => cluster.report(`${shard}-m0`)?.range;

const seen = (shard: string, what: string, look: (range: RangeReport) => boolean): Promise<true> =>
  until({ what: `${shard} to be ${what}`, timeoutMs: 60_000, everyMs: 2 }, () => {
    const range = rangeOf(shard);
    return range && look(range) ? true : undefined;
  });

const begin = async (from: string, to: string, at: string | null): Promise<void> => {
  await cluster.addShard({ name: to, start: '', end: '', splitFrom: { shard: from, at } }, 1);
  await cluster.makeFirstPrimary(to);
};

const ready = async (to: string): Promise<void> => {
  await seen(to, 'ready', ({ intake, epoch }) => epoch > 0 && intake === undefined);
};

/** Keys of a shard, those of others that are not swept yet included. */
const stored = (shard: string): number => cluster.report(`${shard}-m0`)?.figures['keys'] ?? -1;

const fill = async (letter: string, keys: number): Promise<void> => {
  const value = 'x'.repeat(1_000);
  for (let i = 0; i < keys; i += 100) {
    const pairs = Array.from({ length: 100 }, (_, j) => [`${letter}:${i + j}`, value]).flat();
    expect(await ask('MSET', ...pairs)).toBe('OK');
  }
};

/** Asks a shard, and no other. */
const only = (shard: string, ...words: string[]) => direct.command(shard, `${shard}-m0`, ...words);

const exec = async (shard: string, watched: readonly WatchedKey[], ...commands: string[][]): Promise<string> => {
  const payload = encodeTransaction(
    watched,
    commands.map((words) => encodeCommand(words)),
  );
  const answer = await direct.request(shard, `${shard}-m0`, { kind: requestKind.transaction, payload });
  if (answer === null) return 'silence';
  return answer.status === answerStatus.moved ? 'moved' : answer.bytes.toString().trim().replaceAll('\r\n', ' ');
};

const versionOf = async (key: string): Promise<number> => Number(((await ask('QVERSIONS', key)) as unknown[])[0]);

/** Repeats something on a shard until that answers that its keys have moved; answers how often it was done. */
const untilMoved = async (once: (n: number) => Promise<unknown>): Promise<number> => {
  for (let n = 0; ; n++) {
    const answer = await once(n);
    if (answer === 'moved' || (answer as { status?: number } | null)?.status === answerStatus.moved) return n;
  }
};

test('a new shard takes over the upper keys while they are written, renamed over the border and watched', async () => {
  await fill('c', 2_000);
  await fill('t', 2_000);
  await ask('SET', 'u:ttl', 'value', 'EX', '1000');
  await ask('SET', 'u:short', 'value', 'PX', '1500');
  await ask('HSET', 'd:hash', 'field', 'value', 'other', '2');
  await ask('ZADD', 'u:zset', '1', 'one', '2', 'two');
  await ask('RPUSH', 'u:list', 'a', 'b', 'c');
  const watched = [
    { key: 'u:ttl', version: await versionOf('u:ttl') },
    { key: 'u:absent', version: await versionOf('u:absent') },
  ];
  await begin('app-0', 'app-1', 'm');
  const renames = untilMoved((n) =>
    n % 2 === 0 ? only('app-0', 'RENAME', 'd:hash', 'v:hash') : only('app-0', 'RENAME', 'v:hash', 'd:hash'),
  );
  const pairs = untilMoved(() => exec('app-0', [], ['INCR', 'w:one'], ['RPUSH', 'w:two', 'x']));
  const [renamed, paired] = await Promise.all([renames, pairs]);
  expect(renamed).toBeGreaterThan(0);
  await ready('app-1');
  expect(rangeOf('app-1')).toEqual({ start: 'm', end: '', epoch: 1 });
  await seen('app-0', 'the lower half', ({ end, handed }) => end === 'm' && handed === undefined);
  const [here, gone] = renamed % 2 === 0 ? ['d:hash', 'v:hash'] : ['v:hash', 'd:hash'];
  expect(await ask('HGETALL', here)).toEqual(['field', 'value', 'other', '2']);
  expect(await ask('EXISTS', gone)).toBe(0);
  expect(await ask('GET', 'w:one')).toBe(String(paired));
  expect(await ask('LLEN', 'w:two')).toBe(paired);
  expect(await ask('LRANGE', 'u:list', '0', '-1')).toEqual(['a', 'b', 'c']);
  expect(await ask('ZSCORE', 'u:zset', 'two')).toBe('2');
  expect(await ask('TTL', 'u:ttl')).toBeGreaterThan(900);
  for (const each of watched) expect(await exec('app-1', [each], ['SET', each.key, 'changed'])).toBe('*-1');
  await until({ what: 'u:short to expire', timeoutMs: 5_000 }, async () =>
    (await ask('EXISTS', 'u:short')) === 0 ? true : undefined,
  );
});

test('both shards come to hold their own keys only', async () => {
  const keys = 2_000 + 2_000 + 6;
  await until({ what: 'both to be swept', timeoutMs: 50_000 }, () => {
    const swept = ['app-0', 'app-1'].every((shard) => cluster.report(`${shard}-m0`)?.figures['strays'] === 0);
    return swept && stored('app-0') + stored('app-1') === keys ? true : undefined;
  });
  expect(await ask('STRLEN', 'c:1999')).toBe(1_000);
  expect(await ask('STRLEN', 't:1999')).toBe(1_000);
});

test('a half is split again, at a key near its middle that its primary chooses', async () => {
  await begin('app-1', 'app-2', null);
  await ready('app-2');
  const border = rangeOf('app-2')?.start ?? '';
  expect(border).toMatch(/^t:/);
  await seen('app-1', 'shorter', ({ start, end, epoch }) => start === 'm' && end === border && epoch === 2);
  expect(await ask('STRLEN', 't:0')).toBe(1_000);
  expect(await ask('STRLEN', 't:999')).toBe(1_000);
  expect(await ask('LRANGE', 'u:list', '0', '-1')).toEqual(['a', 'b', 'c']);
});

/** A transaction over several shards that is prepared on a shard, and whose coordinator is never heard of again. */
const step = (shard: string, of: Step): Promise<unknown> =>
  direct.request(shard, `${shard}-m0`, { kind: requestKind.step, payload: encodeStep(of) });

test('before the hand-over a split is given up by taking the new shard away', async () => {
  const before = rangeOf('app-0');
  await fill('e', 500);
  const roles = { anchor: 'nowhere', participants: ['nowhere', 'app-0'] };
  const transaction = encodeTransaction([], [encodeCommand(['SET', 'e:held', '1'])]);
  await step('app-0', { name: 'prepare', id: 'held', roles, transaction });
  await begin('app-0', 'app-3', 'd');
  await seen('app-3', 'held up', ({ intake }) => /transaction/.test(intake?.problem ?? '') && intake?.phase === 'log');
  await cluster.removeShard('app-3');
  expect(rangeOf('app-0')).toEqual(before);
  expect(await ask('STRLEN', 'e:499')).toBe(1_000);

  await begin('app-0', 'app-4', 'd');
  await seen('app-4', 'held up', ({ intake }) => /transaction/.test(intake?.problem ?? ''));
  await step('app-0', { name: 'drop', id: 'held' });
  await ready('app-4');
  expect(await ask('STRLEN', 'e:499')).toBe(1_000);
  expect(await ask('EXISTS', 'e:held')).toBe(0);
  expect(await ask('SET', 'e:new', '1')).toBe('OK');
});

test('what is in the way is told in the heartbeat, and goes on when it is gone', async () => {
  await begin('app-9', 'app-5', 'x');
  await seen('app-5', 'waiting', ({ intake }) => /there is no shard app-9/.test(intake?.problem ?? ''));
  expect(rangeOf('app-5')).toMatchObject({ start: 'x', end: 'x', epoch: 0, intake: { phase: 'waiting' } });
  await cluster.removeShard('app-5');
  await begin('app-4', 'app-6', 'zzz');
  await seen('app-6', 'refused', ({ intake }) => /inside of the range/.test(intake?.problem ?? ''));
  await cluster.removeShard('app-6');
});
