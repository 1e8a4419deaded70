import { conditionOf, type DbShard } from '../db-shards.ts';
import type { Live } from './live.ts';
import { silentAfterMs, type Member } from './members.ts';

/** Something that is not as it should be, and what a person does about it. */
export interface Advice {
  readonly problem: string;
  readonly todo: string;
}

/** What to do by the reason of Ready; {name} and {ns} are filled in. Where the message says it itself there is no entry. */
const byReason: Readonly<Record<string, string>> = {
  MessagingUnavailable:
    'no write is accepted without NATS, and nothing is lost: look at its servers (kubectl -n quartet-system get pods -l app.kubernetes.io/name=nats; ./quartet status) and bring a majority back',
  MessagingUnfit: 'change the configuration of NATS as the message says; the operator looks again every minute',
  LogLost:
    'do not make the stream again: replicas refuse another history. Restore the stream from a backup of NATS, or delete the DBShard and restore into a new one',
  LogForeign: 'a stream of this name belongs to another resource: rename or remove whichever is wrong',
  Conflict: 'two shards claim the same keys: delete the one that was made by mistake, see RangeConsistent',
  NoPrimary:
    'an election takes seconds. If this stays, too few replicas are there: kubectl -n {ns} get pods -l app.kubernetes.io/instance={name} -o wide, and look at the nodes',
  GatewayUnavailable: 'clients cannot come in: kubectl -n {ns} describe deployment db-gateway',
  TakingOver: 'wait: it serves its keys when the split is over. The message says what it waits for',
  Merging: 'wait: its keys are on their way to another shard. The message says what it waits for',
  StorageClassMissing: 'make the storage class, or create the resource with one that exists',
};

const fill = (text: string, { metadata: { name, namespace } }: DbShard): string =>
  text.replaceAll('{name}', name).replaceAll('{ns}', namespace);

const ready = (shard: DbShard): Advice[] => {
  const condition = conditionOf(shard, 'Ready');
  if (condition === undefined) {
    const todo =
      'is an operator running? kubectl -n quartet-system get pods -l app.kubernetes.io/name=quartet-operator';
    return [{ problem: 'no operator has seen this resource', todo }];
  }
  if (condition.status === 'True' || condition.reason === 'Merged') return [];
  const todo = fill(byReason[condition.reason] ?? 'see the message', shard);
  return [{ problem: `not Ready, ${condition.reason}: ${condition.message}`, todo }];
};

/** Conditions besides Ready whose value is bad news, and what to do about them. */
const others: Readonly<Record<string, { readonly bad: 'True' | 'False'; readonly todo: string }>> = {
  Degraded: {
    bad: 'True',
    todo: 'it serves, with less to lose. The operator rebuilds replicas by itself where there is a node: the message says what it waits for',
  },
  RangeConsistent: {
    bad: 'False',
    todo: 'keys in a gap are refused: create a shard for them. Where ranges overlap, delete the shard that was made by mistake',
  },
  VolumesReady: { bad: 'False', todo: 'see the message' },
  Durable: {
    bad: 'False',
    todo: 'a power cut of several machines may lose acknowledged writes: set sync_interval: always on every server of NATS',
  },
  ObjectsForeign: { bad: 'True', todo: 'delete or rename those objects; the operator then makes its own' },
  DeletionHeld: { bad: 'True', todo: 'wait, or confirm as the message says' },
};

const conditions = (shard: DbShard): Advice[] =>
  (shard.status?.conditions ?? []).flatMap(({ type, status, reason, message }) => {
    const known = others[type];
    if (known?.bad !== status) return [];
    return [{ problem: `${type} is ${status}, ${reason}: ${message}`, todo: known.todo }];
  });

const splitting = (shard: DbShard): Advice[] => {
  const condition = conditionOf(shard, 'Splitting');
  if (condition?.status === 'False')
    return [{ problem: `the split cannot begin: ${condition.message}`, todo: 'as it says' }];
  if (condition === undefined || !condition.message.includes('; waits: ')) return [];
  const todo = 'most of this ends by itself; if it stays, look at the primaries of both shards with ./quartet describe';
  return [{ problem: `the split waits: ${condition.message}`, todo }];
};

const merging = (shard: DbShard): Advice[] => {
  const [condition, merged] = [conditionOf(shard, 'Merging'), conditionOf(shard, 'Merged')];
  if (merged !== undefined && shard.metadata.deletionTimestamp === undefined) {
    const todo = fill(
      'kubectl -n {ns} delete dbshard {name}; it waits by itself until nothing can ask it any more',
      shard,
    );
    return [{ problem: `it is no longer needed: ${merged.message}`, todo }];
  }
  if (condition?.status === 'False')
    return [{ problem: `the merge cannot begin: ${condition.message}`, todo: 'as it says' }];
  if (condition === undefined || !condition.message.includes('; waits: ')) return [];
  const todo =
    'most of this ends by itself; if it stays, look at the primaries of both shards with ./quartet describe. Before the hand-over it can be taken back: ./quartet merge --cancel';
  return [{ problem: `the merge waits: ${condition.message}`, todo }];
};

const isUnwell: ReadonlySet<string> = new Set(['pending', 'failed', 'silent', 'lost']);

const halted = ({ pod, note }: Member, namespace: string): Advice => ({
  problem: `${pod} is halted: ${note}`,
  todo: `it refuses to serve a history that it cannot prove, and looks again every 5 s. When others are caught up: kubectl -n ${namespace} delete pvc/data-${pod} pod/${pod}; a new replica copies from a peer`,
});

const silent = ({ pod, node, heardMs }: Member, namespace: string): Advice => ({
  problem: `${pod} has been silent for ${Math.round((heardMs ?? 0) / 1000)} s`,
  todo: `kubectl -n ${namespace} describe pod ${pod}; kubectl describe node ${node}; it is replaced elsewhere after failover.replaceAfter`,
});

const behind = ({ pod, lag }: Member): Advice => ({
  problem: `${pod} is ${lag} entries behind`,
  todo: 'it catches up by itself; if its lag grows, its node is too slow: look at CPU and disk there',
});

const member = (one: Member, namespace: string): Advice[] => {
  const { pod, state, heardMs, lag } = one;
  if (state === 'halted') return [halted(one, namespace)];
  if ((heardMs ?? 0) > silentAfterMs) return [silent(one, namespace)];
  if (isUnwell.has(state)) {
    return [{ problem: `${pod} is ${state}`, todo: `kubectl -n ${namespace} describe pod ${pod}` }];
  }
  return state === 'following' && (lag ?? 0) > 1000 ? [behind(one)] : [];
};

const unheard = (live: Live | string): Advice[] => {
  if (typeof live !== 'string') return [];
  return [
    { problem: `no live figures: ${live}`, todo: 'positions and states above are as of the last change of status' },
  ];
};

/** All that is wrong with a shard, the worst first. Empty: nothing is to be done. Pure. */
export const adviceFor = (shard: DbShard, members: readonly Member[], live: Live | string): Advice[] => [
  ...ready(shard),
  ...conditions(shard),
  ...splitting(shard),
  ...merging(shard),
  ...members.flatMap((one) => member(one, shard.metadata.namespace)),
  ...unheard(live),
];
