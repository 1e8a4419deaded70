import { LocalError } from '../../local/errors.ts';
import type { CommandLine } from '../arguments.ts';
import { clusterOf, type Cluster } from '../cluster.ts';
import { conditionOf, pickDbShard, readDbShards, type DbShard } from '../db-shards.ts';
import { follow, showing, type Following, type Look } from '../follow.ts';
import { cancelNews, lowerNeighbour, mergeNews, objection, phaseNames, type MergeNews } from '../merge-watch.ts';
import { Progress } from '../progress.ts';

const usualTimeoutMs = 600_000;

interface Task {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly upper: string;
  readonly progress: Progress;
  readonly timeoutMs: number;
}

const invalid = (message: string): LocalError => new LocalError('invalid', message);

const setMergeInto = async ({ cluster, namespace, upper }: Task, mergeInto: string | null): Promise<void> => {
  const patch = JSON.stringify({ spec: { mergeInto } });
  await cluster.kubectl(['patch', 'dbshard', upper, '-n', namespace, '--type', 'merge', '-p', patch]);
};

/** Looks at the shards until all is done. */
const watch = (
  { cluster, namespace, upper, progress, timeoutMs }: Task,
  look: Following<readonly DbShard[]>['look'],
): Promise<string> =>
  follow({
    progress,
    timeoutMs,
    read: () => readDbShards(cluster, namespace),
    look,
    late: 'not over',
    advice: `it goes on: ./quartet describe dbshard ${upper} tells how far it is, and the same command waits again`,
  });

/** What cannot begin does not stay asked for. */
const takeBack = async (task: Task, why: string): Promise<never> => {
  await setMergeInto(task, null);
  throw invalid(`not merged: ${why} (mergeInto of ${task.upper} is taken back)`);
};

const ended: Readonly<Record<'given-up' | 'gone', string>> = {
  'given-up': 'mergeInto was taken back meanwhile; it keeps its keys',
  gone: 'it was deleted meanwhile',
};

const lookAtMerge =
  (task: Task, lower: string) =>
  async (shards: readonly DbShard[]): Promise<Look> => {
    const news: MergeNews = mergeNews(shards, { upper: task.upper, lower });
    if (news.type === 'merged') return { done: news.text };
    if (news.type === 'refused') return takeBack(task, news.why);
    if (news.type !== 'goes-on') throw invalid(`not merged: ${task.upper}: ${ended[news.type]}`);
    return { step: phaseNames[news.phase], detail: news.detail };
  };

/** It is gone when nothing can ask it any more. */
const remove = async (task: Task): Promise<void> => {
  const { cluster, namespace, upper, progress } = task;
  progress.step(`delete ${upper}`);
  await cluster.kubectl(['delete', 'dbshard', upper, '-n', namespace, '--wait=false', '--ignore-not-found']);
  await watch(task, (shards) => {
    const shard = shards.find(({ metadata }) => metadata.name === upper);
    if (shard === undefined) return { done: '' };
    return { detail: conditionOf(shard, 'DeletionHeld')?.message ?? 'its pods end' };
  });
};

const volumes = ({ metadata: { name, namespace }, spec: { storage } }: DbShard): string =>
  storage.policy === 'Delete'
    ? ''
    : `\nits volumes stay, as storage.policy says: kubectl -n ${namespace} delete pvc -l app.kubernetes.io/instance=${name},app.kubernetes.io/name=quartet-db`;

const cancel = (task: Task): Promise<number> =>
  showing(task.progress, async () => {
    const { upper, progress } = task;
    progress.step(`take the merge of ${upper} back`);
    await setMergeInto(task, null);
    await watch(task, (shards) => {
      const news = cancelNews(shards, upper);
      if (news.type === 'merged') throw invalid(`too late: the keys of ${upper} are handed over, and it only goes on`);
      if (news.type === 'gone') throw invalid(`${upper} was deleted meanwhile`);
      return news.type === 'goes-on' ? { detail: news.detail } : { done: '' };
    });
    return `taken back after ${progress.seconds.toFixed(1)} s: ${upper} keeps its keys`;
  });

const lowerOf = (upper: DbShard, into: string | undefined, shards: readonly DbShard[]): DbShard => {
  const name = into ?? upper.status?.merge?.to ?? upper.spec.mergeInto;
  const lower = name === undefined ? lowerNeighbour(upper, shards) : pickDbShard(shards, name);
  if (lower !== undefined) return lower;
  throw invalid(`no shard ends where ${upper.metadata.name} begins: say --into which it is to be merged`);
};

/** `merge SHARD`: its lower neighbour takes all of its keys over; it is deleted when that is over. @throws LocalError */
export const merge = async (line: CommandLine): Promise<number> => {
  const { namespace, timeoutMs = usualTimeoutMs } = line;
  const [name] = line.words;
  if (name === undefined) throw invalid('say ./quartet merge SHARD --into LOWER; --help tells more');
  const cluster = await clusterOf(line);
  const shards = await readDbShards(cluster, namespace);
  const upper = pickDbShard(shards, name);
  const progress = new Progress();
  const task: Task = { cluster, namespace, upper: name, progress, timeoutMs };
  if (line.cancel) {
    if (upper.spec.mergeInto === undefined && upper.status?.merge === undefined)
      throw invalid(`${name} is not to be merged`);
    return cancel(task);
  }
  const lower = lowerOf(upper, line.into, shards);
  const why = objection(upper, lower, shards);
  if (why !== null) throw invalid(`not merged: ${why}`);
  return showing(progress, async () => {
    progress.step(`ask ${lower.metadata.name} to take the keys of ${name}`);
    if (upper.status?.merge?.phase !== 'Merged') await setMergeInto(task, lower.metadata.name);
    const ranges = await watch(task, lookAtMerge(task, lower.metadata.name));
    if (!line.keep) await remove(task);
    const rest = line.keep ? `; ${name} has no keys any more, and can be deleted` : volumes(upper);
    return `merged after ${progress.seconds.toFixed(1)} s: ${ranges}${rest}`;
  });
};
