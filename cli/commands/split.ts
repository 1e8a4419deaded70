import { apiVersion } from '../../crds/kind.ts';
import { splitName, splitSpec } from '../../crds/split.ts';
import { LocalError } from '../../local/errors.ts';
import type { CommandLine } from '../arguments.ts';
import { clusterOf, type Cluster } from '../cluster.ts';
import { pickDbShard, readDbShards, type DbShard } from '../db-shards.ts';
import { follow, showing, type Look } from '../follow.ts';
import { Progress } from '../progress.ts';
import { objection, phaseNames, splitNews } from '../split-watch.ts';

const usualTimeoutMs = 600_000;

interface Task {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly source: string;
  readonly target: string;
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

const lookAtSplit =
  (task: Task) =>
  async (shards: readonly DbShard[]): Promise<Look> => {
    const news = splitNews(shards, task);
    if (news.type === 'open') return { done: news.text };
    if (news.type === 'refused') return takeBack(task, news.why);
    if (news.type === 'goes-on') return { step: phaseNames[news.phase], detail: news.detail };
    throw new LocalError('invalid', `not split: ${task.target} was deleted meanwhile; ${task.source} keeps its keys`);
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
  const task: Task = { cluster, namespace, source: name, target };
  return showing(progress, async () => {
    progress.step(`make ${target}`);
    await make(source, at, task);
    const ranges = await follow({
      progress,
      timeoutMs,
      read: () => readDbShards(cluster, namespace),
      look: lookAtSplit(task),
      late: 'not open',
      advice: `it goes on: ./quartet describe dbshard ${target} tells how far it is`,
    });
    return `split after ${progress.seconds.toFixed(1)} s: ${ranges}`;
  });
};
