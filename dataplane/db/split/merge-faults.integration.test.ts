import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../local/processes/until.ts';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
import { GatewayLoad } from '../testing/gateway-load.ts';
import { failOver, newestRange, rangeSeen } from '../testing/range-watch.ts';
import { plain, rawClient } from '../testing/raw-client.ts';

let dir: string;
let cluster: DbCluster;
let load: GatewayLoad;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'quartet-merge-'));
  const shards = [
    { name: 'app-0', start: '', end: 'm' },
    { name: 'app-1', start: 'm', end: '' },
  ];
  cluster = await startDbCluster({ dir, members: 2, shards });
  await fill(3_000);
  load = new GatewayLoad(cluster);
  await load.start(4);
});

afterEach(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

const fill = async (keys: number): Promise<void> => {
  const client = await rawClient(cluster.port);
  const value = 'x'.repeat(2_000);
  for (let i = 0; i < keys; i += 100) {
    const words = Array.from({ length: 100 }, (_, j) => [`${'bkqux'.charAt(j % 5)}:filling:${i + j}`, value]).flat();
    expect(plain(await client.command('MSET', ...words))).toBe('OK');
  }
  for (const letter of 'bu') await client.command('HSET', `${letter}:hash`, 'field', letter);
  client.close();
};

const goOn = (): Promise<true> => {
  const before = load.done;
  return until({ what: 'the clients to go on', timeoutMs: 30_000 }, () =>
    load.done > before + 100 ? true : undefined,
  );
};

/** A moment of a merge, as the shards tell of it. */
type Moment = 'snapshot' | 'log' | 'handed';

const reach = (upper: string, moment: Moment): Promise<true> =>
  moment === 'handed'
    ? rangeSeen(cluster, upper, 'handed over', ({ start, end }) => start === end)
    : rangeSeen(
        cluster,
        'app-0',
        `in phase ${moment}`,
        ({ intake, end }) => intake?.phase === moment || intake?.phase === 'open' || end === '',
      );

/** The lower shard has the upper one's keys, and that one can be taken away. */
const merged = async (upper: string): Promise<void> => {
  await rangeSeen(cluster, 'app-0', 'whole', ({ start, end, intake }) => start === end && intake === undefined);
  const over = ({ start, end, handed }: { start: string; end: string; handed?: unknown }): boolean =>
    start === end && handed === undefined;
  await rangeSeen(cluster, upper, 'empty', over);
};

const remove = async (upper: string): Promise<void> => {
  const { epoch = 0 } = newestRange(cluster, 'app-0') ?? {};
  await cluster.change('app-0', { end: '', epoch, mergeFrom: null });
  await rangeSeen(cluster, upper, 'no longer needed', ({ transactions }) => transactions === 0);
  await cluster.removeShard(upper);
};

const split = async (upper: string): Promise<void> => {
  await cluster.addShard({ name: upper, start: '', end: '', splitFrom: { shard: 'app-0', at: 'm' } }, 2);
  await cluster.makeFirstPrimary(upper);
  await rangeSeen(cluster, upper, 'open', ({ start, end, intake }) => start !== end && intake === undefined);
  const { epoch = 0 } = newestRange(cluster, upper) ?? {};
  await cluster.change(upper, { start: 'm', end: '', epoch, serves: true });
  await cluster.change('app-0', { end: 'm', epoch });
};

const judge = async (): Promise<void> => {
  await goOn();
  await load.stop();
  expect(await load.differences()).toEqual([]);
  const client = await rawClient(cluster.port);
  for (const key of ['b:filling:0', 'k:filling:1', 'q:filling:2', 'u:filling:3', 'x:filling:2999'])
    expect(String(await client.command('GET', key))).toHaveLength(2_000);
  for (const letter of 'bu') expect(plain(await client.command('HGET', `${letter}:hash`, 'field'))).toBe(letter);
  client.close();
};

test('clients of a gateway see a merge as a slower answer, or try again, also when it was taken back and begun again', async () => {
  await cluster.change('app-0', { mergeFrom: { shard: 'app-1' } });
  await rangeSeen(cluster, 'app-0', 'at it', ({ intake }) => intake?.merge === true);
  await cluster.change('app-0', { mergeFrom: null });
  await rangeSeen(cluster, 'app-0', 'done with that', ({ intake }) => intake === undefined);
  await goOn();
  if (newestRange(cluster, 'app-0')?.end === 'm') await cluster.change('app-0', { mergeFrom: { shard: 'app-1' } });
  await merged('app-1');
  await goOn();
  await remove('app-1');
  await split('app-2');
  await goOn();
  await cluster.change('app-0', { mergeFrom: { shard: 'app-2' } });
  await merged('app-2');
  await remove('app-2');
  // What the upper shards changed is in no log any more: a watch of before says so.
  const watcher = await rawClient(cluster.port);
  expect(plain(await watcher.command('QWATCH', 'u:', 'FROM', 'app-0:1'))).toBe('app-0:1');
  expect(plain(await watcher.next())).toEqual(['qwatch', expect.stringMatching(/^-COMPACTED .*merged/)]);
  watcher.close();
  await judge();
  expect([load.unknown, load.refused]).toEqual([0, 0]);
  expect(load.slowestMs).toBeLessThan(8_000);
  // On a machine without a free core some transactions over both shards were not answered within 10 s, and refused.
  expect(load.refusedPairs).toBeLessThan(5);
}, 240_000);

test.each(['app-0', 'upper'] as const)(
  'a primary of the shard %s is killed at each phase of a merge: no write is lost, none is done twice',
  async (victim) => {
    let upper = 'app-1';
    for (const moment of ['snapshot', 'log', 'handed'] as const) {
      await cluster.change('app-0', { mergeFrom: { shard: upper } });
      await reach(upper, moment);
      await failOver(cluster, victim === 'upper' ? upper : victim);
      await merged(upper);
      await goOn();
      await cluster.change('app-0', { end: '', mergeFrom: null, epoch: newestRange(cluster, 'app-0')?.epoch ?? 0 });
      if (moment === 'handed') break;
      upper = `app-${moment}`;
      await split(upper);
    }
    await judge();
  },
  280_000,
);
