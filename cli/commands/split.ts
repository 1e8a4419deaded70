import { setTimeout as sleep } from 'node:timers/promises';
import { apiVersion } from '../../crds/kind.ts';
import { splitName, splitSpec } from '../../crds/split.ts';
import { LocalError, reasonOf } from '../../local/errors.ts';
import type { CommandLine } from '../arguments.ts';
import { clusterOf, type Cluster } from '../cluster.ts';
import { pickDbShard, readDbShards, type DbShard } from '../db-shards.ts';
import { Progress } from '../progress.ts';
import { objection, phaseNames, splitNews, type SplitNews } from '../split-watch.ts';

const usualTimeoutMs = 600_000;
const lookEveryMs = 500;

interface Task {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly source: string;
  readonly target: string;
  readonly progress: Progress;
  readonly timeoutMs: number;
}

const make = async (source: DbShard, at: string | undefined, { cluster, namespace, target }: Task): Promise<void> => {
  const spec = splitSpec({ name: source.metadata.name, spec: source.spec }, at);
  const manifest = { apiVersion, kind: 'DBShard', metadata: { name: target, namespace }, spec };
  await cluster.kubectl(['create', '-f', '-'], JSON.stringify(manifest));
};

/** A shard that cannot begin serves nobody: it does not stay behind. */
const takeBack = async ({ cluster, namespace, target }: Task, why: string): Promise<never> => {
  await cluster.kubectl(['delete', 'dbshard', target, '-n', namespace, '--wait=false']);
  throw new LocalError('invalid', `not split: ${why} (${target} is removed again)`);
};

const end = async (news: SplitNews, task: Task): Promise<string | undefined> => {
  if (news.type === 'refused') return takeBack(task, news.why);
  if (news.type === 'given-up') {
    throw new LocalError('invalid', `not split: ${task.target} was deleted meanwhile; ${task.source} keeps its keys`);
  }
  return news.type === 'open' ? news.text : undefined;
};

/** Shows a step for each phase, and what it waits for. */
const show = (progress: Progress): ((news: SplitNews) => void) => {
  let phase: string | undefined;
  return (news) => {
    if (news.type !== 'goes-on') return;
    if (news.phase !== phase) progress.step(phaseNames[news.phase]);
    phase = news.phase;
    progress.detail(news.detail);
  };
};

/** Follows a split until the new shard serves its keys. An API server that does not answer is waited for. */
const follow = async (task: Task): Promise<string> => {
  const deadline = performance.now() + task.timeoutMs;
  const tell = show(task.progress);
  let waiting = 'nothing was seen of it';
  while (performance.now() < deadline) {
    const shards = await readDbShards(task.cluster, task.namespace).catch((error: unknown) => {
      waiting = reasonOf(error);
      return undefined;
    });
    const news = shards && splitNews(shards, task);
    if (news !== undefined) {
      const text = await end(news, task);
      if (text !== undefined) return text;
      tell(news);
      if (news.type === 'goes-on') waiting = news.detail;
    }
    await sleep(lookEveryMs);
  }
  const advice = `it goes on: ./quartet describe dbshard ${task.target} tells how far it is`;
  throw new LocalError('start-failed', `not open after ${Math.round(task.timeoutMs / 1000)} s: ${waiting}; ${advice}`);
};

/** `split SHARD`: makes a DBShard that takes over the upper keys of another one, and waits until it does. @throws LocalError */
export const split = async (line: CommandLine): Promise<number> => {
  const { namespace, at, timeoutMs = usualTimeoutMs } = line;
  const [name] = line.words;
  if (name === undefined) throw new LocalError('invalid', 'say ./quartet split SHARD; --help tells more');
  const cluster = await clusterOf(line);
  const shards = await readDbShards(cluster, namespace);
  const source = pickDbShard(shards, name);
  const why = objection(source, at);
  if (why !== null) throw new LocalError('invalid', `not split: ${why}`);
  const target = line.name ?? splitName(name, at, new Set(shards.map(({ metadata }) => metadata.name)));
  const progress = new Progress();
  const task: Task = { cluster, namespace, source: name, target, progress, timeoutMs };
  try {
    progress.step(`make ${target}`);
    await make(source, at, task);
    const ranges = await follow(task);
    progress.done();
    console.log(`\nsplit after ${progress.seconds.toFixed(1)} s: ${ranges}`);
    return 0;
  } catch (error) {
    progress.failed();
    throw error;
  }
};
