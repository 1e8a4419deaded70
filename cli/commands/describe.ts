import { LocalError } from '../../local/errors.ts';
import type { CommandLine } from '../arguments.ts';
import { clusterOf } from '../cluster.ts';
import { pickDbShard, readDbShards } from '../db-shards.ts';
import { readEvents } from '../describe/events.ts';
import { readLive } from '../describe/live.ts';
import { reportOn } from '../describe/report.ts';

const shardWords: ReadonlySet<string> = new Set(['dbshard', 'dbshards', 'dbs']);

/** `describe dbshard NAME`: all about a shard, live, and what to do. Of other kinds, what kubectl says. @throws LocalError */
export const describe = async (line: CommandLine): Promise<number> => {
  const { namespace } = line;
  const [kind, name] = line.words;
  if (kind === undefined) throw new LocalError('invalid', 'say ./quartet describe dbshard NAME; --help tells more');
  const cluster = await clusterOf(line);
  if (!shardWords.has(kind) || name === undefined) {
    return cluster.pass(['describe', ...line.words, '-n', namespace]);
  }
  const shard = pickDbShard(await readDbShards(cluster, namespace), name);
  const [live, events] = await Promise.all([
    readLive(cluster, namespace, name),
    readEvents(cluster, { namespace, kind: 'DBShard', name }),
  ]);
  console.log(reportOn({ shard, live, events, now: Date.now() }));
  return 0;
};
