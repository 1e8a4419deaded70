import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RangeReport } from '../../../contract/heartbeat.ts';
import { until } from '../../../local/processes/until.ts';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
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

/** The newest range that a member of a shard told of. */
const rangeOf = (shard: string): RangeReport | undefined =>
  (cluster.members.get(shard) ?? [])
    .flatMap(({ pod }) => cluster.report(pod)?.range ?? [])
    .toSorted((a, b) => b.epoch - a.epoch)[0];

/** Waits until a primary's log says something. */
const seen = (shard: string, what: string, look: (range: RangeReport) => boolean): Promise<true> =>
  until({ what: `${shard} to be ${what}`, timeoutMs: 60_000, everyMs: 1 }, () => {
    const range = rangeOf(shard);
    return range && look(range) ? true : undefined;
  });

/** The primary dies at once, another member leads, and the dead one comes back. */
const failOver = async (shard: string): Promise<void> => {
  const primary = await cluster.primary(shard);
  await primary.kill();
  const other = cluster.members.get(shard)?.find(({ pod }) => pod !== primary.pod);
  if (!other) throw new Error(`${shard} has one member only`);
  await cluster.promote(other.pod, (cluster.report(primary.pod)?.term ?? 0) + 1);
  primary.restart();
};

interface Split {
  readonly from: string;
  readonly to: string;
  readonly at: string;
}

/** A moment of a split, as the shards tell of it. */
type Moment = 'snapshot' | 'log' | 'handed';

const reach = ({ from, to }: Split, moment: Moment): Promise<true> =>
  moment === 'handed'
    ? seen(from, 'handed over', ({ handed }) => handed !== undefined)
    : seen(to, `in phase ${moment}`, ({ intake }) => intake?.phase === moment || intake?.phase === 'open');

/** Splits a shard, and kills a primary at a moment. Resolves when the split is over and swept. */
const splitAndKill = async (split: Split, moment: Moment, victim: 'from' | 'to'): Promise<void> => {
  const { from, to, at } = split;
  await cluster.addShard({ name: to, start: '', end: '', splitFrom: { shard: from, at } }, 2);
  await cluster.makeFirstPrimary(to);
  await reach(split, moment);
  await failOver(split[victim]);
  await seen(to, 'ready', ({ start, end, intake }) => start === at && start !== end && intake === undefined);
  await seen(from, 'rid of the keys', ({ end, handed }) => end === at && handed === undefined);
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
    const ranges = ['app-0', 'app-3', 'app-1', 'app-2'].map(rangeOf);
    expect(ranges.map((range) => `${range?.start}..${range?.end}`)).toEqual(['..g', 'g..n', 'n..t', 't..']);
    const client = new Wanderer(cluster);
    for (const key of ['b:filling:0', 'k:filling:1', 'q:filling:2', 'u:filling:3', 'x:filling:4999'])
      expect(String(await client.reply('GET', key))).toHaveLength(2_000);
  },
  240_000,
);
