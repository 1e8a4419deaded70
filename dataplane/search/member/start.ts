import { rename } from 'node:fs/promises';
import { Histogram } from 'prom-client';
import type { ReplicaSetId } from '../../../contract/names.ts';
import { memberSubject } from '../../../contract/subjects.ts';
import type { Pod } from '../../fabric/pod.ts';
import { Rate, workLoad } from '../../fabric/rate.ts';
import { type Replica, startReplica } from '../../replica/replica.ts';
import { SearchMachine } from '../machine.ts';
import { SearchError } from '../search-error.ts';
import { MemberService } from './member-service.ts';

/** Opens the store; one that is damaged is put aside, and the replica starts empty: log and peers make it whole again. */
async function openMachine(pod: Pod, path: string): Promise<SearchMachine> {
  try {
    return await SearchMachine.open(path);
  } catch (error) {
    if (!(error instanceof SearchError) || error.code !== 'damaged') throw error;
    const aside = `${path}.damaged-${Date.now()}`;
    await rename(path, aside);
    pod.log.error({ err: error, aside }, 'the store is damaged: it was put aside, this replica starts empty');
    return SearchMachine.open(path);
  }
}

/** Starts a member of a SearchShard. */
export async function start(pod: Pod): Promise<void> {
  const { QUARTET_DATA_DIR: directory, QUARTET_RESOURCE: name, QUARTET_NAMESPACE: namespace } = pod.env;
  if (directory === undefined || name === undefined) {
    throw new SearchError(
      'bad-request',
      'configuration',
      'a search member needs QUARTET_DATA_DIR and QUARTET_RESOURCE',
    );
  }
  const set: ReplicaSetId = { kind: 'search', namespace, name };
  const machine = await openMachine(pod, `${directory}/index`);
  let replica: Replica | null = null;
  const service = new MemberService(machine, () => {
    if (replica === null) throw new SearchError('not-primary', 'not_primary', 'this replica is starting');
    return replica;
  });
  // registered first: runs last, when nothing is applied any more
  pod.onShutdown('search store', () => machine.close());
  replica = await startReplica({ pod, set, machine });
  serve(pod, memberSubject(set, pod.env.QUARTET_POD), service);
  const requests = new Rate(() => service.requests);
  const writes = new Rate(() => machine.writes);
  pod.heartbeat(() => ({ load: { searchRequests: service.active, ...workLoad(requests, writes) } }));
}

function serve(pod: Pod, subject: string, service: MemberService): void {
  const seconds = new Histogram({
    name: 'quartet_search_member_request_seconds',
    help: 'Time to answer a request of a gateway',
    labelNames: [],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [pod.metrics],
  });
  const subscription = pod.nats.subscribe(subject, {
    callback: (error, message) => {
      if (error) return;
      const stop = seconds.startTimer();
      void service.handle(message.string()).then((reply) => {
        stop();
        message.respond(reply);
      });
    },
  });
  pod.onShutdown('search requests', async () => subscription.unsubscribe());
}
