import type { Role } from './names.ts';
import {
  allChatReports,
  allHeartbeats,
  channelSubject,
  chatLiveSubject,
  chatReportSubject,
  controlSubject,
  databaseSubject,
  directoryBucket,
  directoryKey,
  directoryLivePrefix,
  heartbeatSubject,
  liveSubject,
  logSubject,
  memberFeedSubject,
  memberSplitSubject,
  memberSubject,
  purgeSubject,
  snapshotSubject,
  type DirectoryKind,
} from './subjects.ts';

/**
 * What each part of Quartet may do on NATS. The chart writes it into the configuration of nats-server; whoever runs an
 * own NATS takes it from there. A user of NATS is a service, not a pod: members and gateways of one service share it.
 *
 * Permissions match whole tokens of a subject and the name of a stream is one token, so the requests of JetStream's API
 * are narrowed by verb but not by stream (docs/decisions/0009-permissions-on-nats.md).
 */
export const natsUsers = ['operator', 'edge', 'search', 'chat', 'db'] as const;
export type NatsUser = (typeof natsUsers)[number];

/** The user as which the pods of a role connect. */
export const natsUserOf: Readonly<Record<Role, Exclude<NatsUser, 'operator'>>> = {
  edge: 'edge',
  'edge-router': 'edge',
  site: 'edge',
  search: 'search',
  'search-gateway': 'search',
  'chat-gateway': 'chat',
  db: 'db',
  'db-gateway': 'db',
};

/** Where answers to a user's requests go: nobody else may listen there. */
export const inboxPrefix = (user: string): string => `_INBOX_${user}`;

export interface SubjectPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const any = '*';
const anyDirectory = `KV_${directoryBucket}`;
const api = (...verbs: readonly string[]): string[] => verbs.map((verb) => `$JS.API.${verb}`);

/** What every pod does: heartbeats, the directory, commands of the operator. */
const podPermissions = (user: NatsUser, roles: readonly Role[], kind: DirectoryKind): SubjectPermissions => ({
  publish: [
    ...roles.map((role) => heartbeatSubject(any, role, any, any)),
    ...api(`STREAM.INFO.${anyDirectory}`, `DIRECT.GET.${anyDirectory}`),
    // answers to the operator's commands and to each other
    `${inboxPrefix('operator')}.>`,
    `${inboxPrefix(user)}.>`,
  ],
  subscribe: [
    ...roles.map((role) => `quartet.*.heartbeat.${role}.>`),
    `${directoryLivePrefix}.${directoryKey(kind, any, any)}`,
    controlSubject(any, any),
    `${inboxPrefix(user)}.>`,
  ],
});

/** What the members of a replicated state machine do: append, read, follow and trim their log, and send snapshots. */
const replicaPermissions = (kind: 'db' | 'search'): SubjectPermissions => {
  const set = { kind, namespace: any, name: any };
  return {
    publish: [
      logSubject(set),
      memberSubject(set, any),
      snapshotSubject(set, any),
      ...api('STREAM.INFO.*', 'STREAM.MSG.GET.*', 'DIRECT.GET.*', 'STREAM.PURGE.*'),
    ],
    subscribe: [liveSubject(set), memberSubject(set, any), snapshotSubject(set, any)],
  };
};

/** What a database does besides: its API over NATS, its feeds of changes, splits, and its channels. */
const databaseSubjects: readonly string[] = [
  databaseSubject(any, any),
  databaseSubject(any, any, any),
  memberFeedSubject({ kind: 'db', namespace: any, name: any }, any),
  memberSplitSubject({ kind: 'db', namespace: any, name: any }, any),
  channelSubject(any, any),
];

/** Chat keeps its streams and its bucket itself. The subjects below `chat…` belong to its gateways alone. */
const chatPermissions: SubjectPermissions = {
  publish: [
    'quartet.*.chat.*.*',
    '$KV.*.member.>',
    '$KV.*.user.>',
    '$KV.*.floor.>',
    '$KV.*.lease.>',
    'quartet.*.chatevent.*',
    'quartet.*.chatask',
    'quartet.*.chatnotify.*',
    chatReportSubject(any, any),
    ...api('INFO', 'STREAM.CREATE.*', 'STREAM.INFO.*', 'STREAM.MSG.GET.*', 'DIRECT.GET.>', 'STREAM.PURGE.*'),
  ],
  subscribe: [
    chatLiveSubject(any, any),
    'quartet.*.chatmember.*.*',
    'quartet.*.chatevent.*',
    'quartet.*.chatask',
    'quartet.*.chatnotify.*',
  ],
};

const operatorPermissions: SubjectPermissions = {
  publish: [
    controlSubject(any, any),
    `$KV.${directoryBucket}.>`,
    ...api('INFO', 'STREAM.CREATE.*', 'STREAM.UPDATE.*', 'STREAM.DELETE.*', 'STREAM.INFO.*', 'STREAM.LIST'),
    ...api('STREAM.NAMES', 'STREAM.PURGE.*', 'STREAM.MSG.GET.*', `DIRECT.GET.${anyDirectory}.>`),
    // the keys of the directory are listed with a consumer
    ...['CREATE', 'DELETE', 'INFO'].flatMap((verb) => api(`CONSUMER.${verb}.${anyDirectory}.>`)),
    ...api(`CONSUMER.CREATE.${anyDirectory}`),
    `$JS.FC.${anyDirectory}.>`,
  ],
  subscribe: [allHeartbeats, allChatReports, '$JS.EVENT.ADVISORY.STREAM.>', `${inboxPrefix('operator')}.>`],
};

const together = (...parts: readonly SubjectPermissions[]): SubjectPermissions => ({
  publish: parts.flatMap(({ publish }) => publish),
  subscribe: parts.flatMap(({ subscribe }) => subscribe),
});

/**
 * What only a stream may publish, whatever else is allowed: a namespace named `directory` must not turn the subjects of
 * its members into routing tables.
 */
export const deniedPublish: readonly string[] = [`${directoryLivePrefix}.>`];

/** The subjects that a user may publish to and subscribe to; all others are denied. */
export const natsPermissions: Readonly<Record<NatsUser, SubjectPermissions>> = {
  operator: operatorPermissions,
  edge: together(podPermissions('edge', ['edge', 'edge-router', 'site'], 'edge'), {
    publish: [purgeSubject(any)],
    subscribe: [purgeSubject(any)],
  }),
  search: together(podPermissions('search', ['search', 'search-gateway'], 'search'), replicaPermissions('search')),
  chat: together(podPermissions('chat', ['chat-gateway'], 'chat'), chatPermissions),
  db: together(podPermissions('db', ['db', 'db-gateway'], 'db'), replicaPermissions('db'), {
    // applications ask databases over NATS with users of their own
    publish: [...databaseSubjects, '_INBOX.>'],
    subscribe: databaseSubjects,
  }),
};
