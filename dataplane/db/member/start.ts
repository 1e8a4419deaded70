import { join } from 'node:path';
import { servicePorts } from '../../../contract/pod-env.ts';
import { liveSubject, logStream, logSubject, memberFeedSubject, memberSubject } from '../../../contract/subjects.ts';
import type { DbShardEntry } from '../../../contract/directory.ts';
import type { ReplicaSetId } from '../../../contract/names.ts';
import { watchDirectory } from '../../fabric/directory.ts';
import { watchHeartbeats } from '../../fabric/heartbeats.ts';
import { Rate, workLoad } from '../../fabric/rate.ts';
import type { Pod } from '../../fabric/pod.ts';
import { JetStreamLog } from '../../log/jetstream-log.ts';
import { LogHolds } from '../../replica/log-holds.ts';
import { startReplica } from '../../replica/replica.ts';
import { DbError } from '../db-error.ts';
import { FeedServer } from '../feed/server.ts';
import { Replay } from '../feed/replay.ts';
import { FrontEnd } from '../front/front-end.ts';
import { exportMetrics } from '../gateway/metrics.ts';
import { NatsTransport } from '../gateway/nats-transport.ts';
import { Router } from '../gateway/router.ts';
import { stepSender } from '../gateway/transact.ts';
import { KeyValueMachine } from '../machine.ts';
import { RangeReporter } from '../split/range-report.ts';
import { startSplits } from '../split/start.ts';
import { Store } from '../store/store.ts';
import { Deleted } from '../two-phase/deleted.ts';
import { Recovery } from '../two-phase/recovery.ts';
import { Executor } from './executor.ts';
import { removeExpired } from './expiry.ts';
import { firstRange, keyOfText, type KeyRange } from '../store/key-range.ts';
import { RequestListener } from './listener.ts';
import { exportMemberMetrics } from './metrics.ts';
import { watchTransactions } from './transactions.ts';

/** What a member has to know about itself. @throws DbError when the environment does not say it */
const identity = (pod: Pod): { set: ReplicaSetId; dir: string } => {
  const { QUARTET_NAMESPACE: namespace, QUARTET_RESOURCE: name, QUARTET_DATA_DIR: dir } = pod.env;
  if (name === undefined || dir === undefined) {
    throw new DbError('ERR', 'a database member needs QUARTET_RESOURCE and QUARTET_DATA_DIR');
  }
  return { set: { kind: 'db', namespace, name }, dir };
};

/** The first range of a shard; null: it is not known, or the shard has to take its keys over from another one. */
const rangeOf = (entry: DbShardEntry | undefined): KeyRange | null => {
  if (entry === undefined || !entry.serves || entry.splitFrom !== null) return null;
  return firstRange({ start: keyOfText(entry.start), end: keyOfText(entry.end) });
};

/** The RESP server of a member: answers keys that the member leads without a hop, and sends the rest on. */
const startFrontEnd = async (pod: Pod, router: Router): Promise<void> => {
  const frontEnd = new FrontEnd(pod, router, { port: pod.env.QUARTET_PORT ?? servicePorts.db });
  const port = await frontEnd.listen(pod.env.QUARTET_POD_IP);
  pod.onShutdown('front end', () => frontEnd.close());
  exportMetrics(pod, frontEnd, router);
  pod.log.info({ host: pod.env.QUARTET_POD_IP, port }, 'speaking RESP');
};

/** Role `db`: one replica of one shard. Follows the log, and carries out requests while it leads. */
export const start = async (pod: Pod): Promise<void> => {
  const { set, dir } = identity(pod);
  const store = new Store(join(dir, 'store'));
  pod.onShutdown('store', () => store.close());
  const machine = new KeyValueMachine(store);
  const reporter = new RangeReporter(store, () => pod.beatNow());
  machine.onApplied(() => reporter.look());
  const holds = new LogHolds();
  const replica = await startReplica({ pod, set, machine, range: () => reporter.report, holds });
  const directory = await watchDirectory(pod, 'db');
  const initialRange = (): KeyRange | null => rangeOf(directory.entries.get(set.name));
  const executor = new Executor({ store, replica, now: () => replica.wall(), initialRange });
  machine.serve(executor);
  const stop = new AbortController();
  pod.onShutdown('expiry', async () => stop.abort());
  void removeExpired(executor, stop.signal);
  const listener = new RequestListener(pod.nats, executor, pod.log);
  const unlisten = listener.listen(memberSubject(set, pod.env.QUARTET_POD));
  pod.onShutdown('requests', async () => unlisten());
  const log = new JetStreamLog({
    nats: pod.nats,
    stream: logStream(set),
    subject: logSubject(set),
    liveSubject: liveSubject(set),
  });
  const feed = new FeedServer({
    nats: pod.nats,
    subject: memberFeedSubject(set, pod.env.QUARTET_POD),
    recent: machine.recent,
    replay: new Replay(log),
    log: pod.log,
  });
  const stopFeed = feed.listen();
  pod.onShutdown('changes', async () => stopFeed());
  const beats = watchHeartbeats(pod, 'db');
  startSplits({ pod, set, store, replica, executor, reporter, holds, directory, beats });
  const router = new Router(directory, beats, new NatsTransport(pod, executor));
  pod.onShutdown('router', async () => router.stop());
  const known = (shard: string): boolean => directory.entries.has(shard);
  const deleted = new Deleted({ shard: set.name, known, now: () => performance.now() });
  beats.onBeat(({ resource }) => {
    if (resource !== null) deleted.heard(resource);
  });
  const recovery = new Recovery({
    shard: set.name,
    leading: () => replica.leading,
    notes: () => store.notes,
    send: stepSender(router),
    deleted: (shard) => deleted.has(shard),
    now: () => performance.now(),
  });
  void watchTransactions({ executor, recovery, log: pod.log, signal: stop.signal });
  const requests = new Rate(() => executor.requests);
  const writes = new Rate(() => store.writes);
  pod.heartbeat(() => ({ load: workLoad(requests, writes) }));
  exportMemberMetrics(pod, { executor, recovery, store });
  await startFrontEnd(pod, router);
};
