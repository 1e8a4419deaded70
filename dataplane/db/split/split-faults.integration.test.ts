import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../local/processes/until.ts';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
import { failOver, newestRange, rangeSeen } from '../testing/range-watch.ts';
import { SplitLoad, Wanderer } from '../testing/split-load.ts';

let dir: string;
let cluster: DbCluster;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'quartet-split-'));
  cluster = await startDbCluster({ dir, members: 2 });
});

afterEach(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Split {
  readonly from: string;
  readonly to: string;
  readonly at: string;
}

/** A moment of a split, as the shards tell of it. */
type Moment = 'snapshot' | 'log' | 'handed';

const reach = ({ from, to }: Split, moment: Moment): Promise<true> =>
  moment === 'handed'
    ? rangeSeen(cluster, from, 'handed over', ({ handed }) => handed !== undefined)
    : rangeSeen(
        cluster,
        to,
        `in phase ${moment}`,
        ({ intake }) => intake?.phase === moment || intake?.phase === 'open',
      );

/** Splits a shard, and kills a primary at a moment. Resolves when the split is over and swept. */
const splitAndKill = async (split: Split, moment: Moment, victim: 'from' | 'to'): Promise<void> => {
  const { from, to, at } = split;
  await cluster.addShard({ name: to, start: '', end: '', splitFrom: { shard: from, at } }, 2);
  await cluster.makeFirstPrimary(to);
  await reach(split, moment);
  await failOver(cluster, split[victim]);
  await rangeSeen(
    cluster,
    to,
    'ready',
    ({ start, end, intake }) => start === at && start !== end && intake === undefined,
  );
  await rangeSeen(cluster, from, 'rid of the keys', ({ end, handed }) => end === at && handed === undefined);
};

const fill = async (keys: number): Promise<void> => {
  const client = new Wanderer(cluster);
  const value = 'x'.repeat(2_000);
  for (let i = 0; i < keys; i += 100) {
    const words = Array.from({ length: 100 }, (_, j) => [`${'bkqux'[j % 5]}:filling:${i + j}`, value]).flat();
    expect(await client.reply('MSET', ...words)).toBe('OK');
  }
};

test.each(['from', 'to'] as const)(
  'a primary of the shard that is split %s is killed at each phase: no write is lost, none is done twice',
  async (victim) => {
    await fill(5_000);
    const load = new SplitLoad(cluster);
    load.start(6);
    await splitAndKill({ from: 'app-0', to: 'app-1', at: 'n' }, 'snapshot', victim);
    await splitAndKill({ from: 'app-1', to: 'app-2', at: 't' }, 'log', victim);
    await splitAndKill({ from: 'app-0', to: 'app-3', at: 'g' }, 'handed', victim);
    const before = load.done;
    await until({ what: 'the clients to go on', timeoutMs: 20_000 }, () =>
      load.done > before + 200 ? true : undefined,
    );
    await load.stop();
    expect(await load.differences()).toEqual([]);
    const ranges = ['app-0', 'app-3', 'app-1', 'app-2'].map((shard) => newestRange(cluster, shard));
    expect(ranges.map((range) => `${range?.start}..${range?.end}`)).toEqual(['..g', 'g..n', 'n..t', 't..']);
    const client = new Wanderer(cluster);
    for (const key of ['b:filling:0', 'k:filling:1', 'q:filling:2', 'u:filling:3', 'x:filling:4999'])
      expect(String(await client.reply('GET', key))).toHaveLength(2_000);
  },
  240_000,
);
