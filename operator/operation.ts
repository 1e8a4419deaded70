import type { Logger } from 'pino';
import type { Commands } from './commands.ts';
import type { DirectoryPublisher } from './directory.ts';
import type { Fleet } from './fleet.ts';
import type { SharedForeign } from './foreign.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { ChatRoom, DbBackup, DbShard, EdgeNode, SearchShard } from './kinds.ts';
import type { Logs } from './logs.ts';
import type { Measures } from './measures.ts';
import type { NatsLink } from './nats-link.ts';
import type { NodeStates } from './nodes.ts';
import type { Rebalancer } from './rebalance/rebalancer.ts';
import type {
  Deployment,
  NetworkPolicy,
  Node,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Secret,
  Service,
  StorageClass,
} from './runtime/builtin.ts';
import type { Store } from './runtime/store.ts';
import type { Settings } from './settings.ts';

/** The caches that controllers read. Those of built-in kinds hold what this operator manages, services and nodes all. */
export interface Caches {
  readonly edgeNodes: Store<EdgeNode>;
  readonly searchShards: Store<SearchShard>;
  readonly chatRooms: Store<ChatRoom>;
  readonly dbShards: Store<DbShard>;
  readonly dbBackups: Store<DbBackup>;
  readonly pods: Store<Pod>;
  readonly claims: Store<PersistentVolumeClaim>;
  readonly deployments: Store<Deployment>;
  readonly services: Store<Service>;
  readonly budgets: Store<PodDisruptionBudget>;
  readonly networkPolicies: Store<NetworkPolicy>;
  readonly nodes: Store<Node>;
  readonly storageClasses: Store<StorageClass>;
  readonly natsSecrets: Store<Secret>;
  readonly chatSecrets: Store<Secret>;
}

/** What all controllers of one operator share. */
export interface Operation {
  readonly settings: Settings;
  readonly log: Logger;
  readonly caches: Caches;
  readonly link: NatsLink;
  readonly heartbeats: Heartbeats;
  readonly logs: Logs;
  readonly directory: DirectoryPublisher;
  readonly commands: Commands;
  readonly nodes: NodeStates;
  readonly fleet: Fleet;
  readonly rebalancer: Rebalancer;
  readonly measures: Measures;
  readonly foreign: SharedForeign;
  /** Time that NATS has been away, ms; 0 while it is there. */
  natsAwayMs(): number;
}
