import { createHash } from 'node:crypto';
import type { Role } from '../contract/names.ts';
import { natsUserOf, type NatsUser } from '../contract/permissions.ts';
import type { Settings } from './settings.ts';

/** Labels and annotations that the operator puts on what it makes. */
export const managedBy = 'quartet-operator';
export const labels = {
  name: 'app.kubernetes.io/name',
  instance: 'app.kubernetes.io/instance',
  managedBy: 'app.kubernetes.io/managed-by',
  partOf: 'app.kubernetes.io/part-of',
  /** primary or replica, on pods of replica sets. */
  role: 'quartet.dev/role',
  /** Number of a replica. */
  replica: 'quartet.dev/replica',
  /** Namespaced name of the gateway's service: on gateways' objects. */
  gateway: 'quartet.dev/gateway',
} as const;
export const annotations = {
  /** Node that a replica belongs to. */
  node: 'quartet.dev/node',
  zone: 'quartet.dev/zone',
  /** Hash of the template that a pod was made from. */
  template: 'quartet.dev/template',
  /** uid of the resource that a volume holds data of. */
  owner: 'quartet.dev/owner',
  /** On a volume claim: the replica whose place its own takes, for a move. */
  replaces: 'quartet.dev/replaces',
} as const;

/** Name of the Secret in each namespace that holds the address of NATS, which may carry a password. */
export const natsSecret = 'quartet-nats';
/** Key of a user's password in that Secret. */
export const natsPasswordKey = (user: NatsUser): string => `${user}-password`;
/** Name of the Secret in each namespace that holds the keys of chat. */
export const chatSecret = 'quartet-chat';

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
  };
}

export interface PodShape {
  readonly role: Role;
  /** Custom resource; absent for gateways. */
  readonly resource?: string;
  readonly env?: readonly EnvVar[];
  readonly port: number;
  readonly cpu: string;
  readonly memory: string;
  /** Claim mounted at {@link dataDir}. */
  readonly claim?: string;
  readonly graceSeconds: number;
  /**
   * Time for which a pod that is to end goes on as if nothing were: until load balancers and peers have learned that it
   * leaves. Absent: it ends at once.
   */
  readonly leaveSeconds?: number;
}

const dataDir = '/var/lib/quartet';

const field = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } });

const fromNatsSecret = (name: string, key: string): EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: natsSecret, key } },
});

/** Where NATS is and as whom a pod connects: it gets the password of its own service only. */
export const natsEnvironment = (role: Role, { nats: { passwords, ca } }: Settings): EnvVar[] => [
  fromNatsSecret('QUARTET_NATS_URL', 'url'),
  ...(passwords === undefined ? [] : [fromNatsSecret('QUARTET_NATS_PASSWORD', natsPasswordKey(natsUserOf[role]))]),
  ...(ca === undefined ? [] : [fromNatsSecret('QUARTET_NATS_CA', 'ca')]),
];

const environment = (shape: PodShape, settings: Settings): EnvVar[] => [
  field('QUARTET_NAMESPACE', 'metadata.namespace'),
  field('QUARTET_POD', 'metadata.name'),
  field('QUARTET_POD_IP', 'status.podIP'),
  field('QUARTET_NODE', 'spec.nodeName'),
  ...natsEnvironment(shape.role, settings),
  { name: 'QUARTET_NATS_REPLICAS', value: String(settings.nats.replicas) },
  { name: 'QUARTET_LOG_LEVEL', value: settings.logLevel },
  ...(shape.resource === undefined ? [] : [{ name: 'QUARTET_RESOURCE', value: shape.resource }]),
  ...(shape.claim === undefined ? [] : [{ name: 'QUARTET_DATA_DIR', value: dataDir }]),
  ...(shape.env ?? []),
];

/** What Pod Security "restricted" asks of a container, and no writing beside volumes. */
export const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** What it asks of a pod. */
export const podSecurity = {
  runAsNonRoot: true,
  runAsUser: 10001,
  runAsGroup: 10001,
  fsGroup: 10001,
  seccompProfile: { type: 'RuntimeDefault' },
};

const container = (shape: PodShape, settings: Settings) => ({
  name: shape.role,
  image: settings.image,
  imagePullPolicy: settings.imagePullPolicy,
  command: ['node', 'dataplane/main.ts', shape.role],
  env: environment(shape, settings),
  ports: [
    ...(shape.port === 0 ? [] : [{ name: 'service', containerPort: shape.port, protocol: 'TCP' }]),
    { name: 'admin', containerPort: 9090, protocol: 'TCP' },
  ],
  startupProbe: {
    httpGet: { path: '/healthz', port: 9090, scheme: 'HTTP' },
    periodSeconds: 1,
    failureThreshold: 120,
    timeoutSeconds: 5,
  },
  livenessProbe: {
    httpGet: { path: '/healthz', port: 9090, scheme: 'HTTP' },
    periodSeconds: 10,
    failureThreshold: 3,
    timeoutSeconds: 5,
  },
  readinessProbe: {
    httpGet: { path: '/readyz', port: 9090, scheme: 'HTTP' },
    periodSeconds: 2,
    failureThreshold: 2,
    timeoutSeconds: 2,
  },
  ...(shape.leaveSeconds === undefined ? {} : { lifecycle: { preStop: { sleep: { seconds: shape.leaveSeconds } } } }),
  resources: { requests: { cpu: shape.cpu, memory: shape.memory } },
  securityContext: containerSecurity,
  ...(shape.claim === undefined ? {} : { volumeMounts: [{ name: 'data', mountPath: dataDir }] }),
});

/** The spec of a data-plane pod under Pod Security "restricted". */
export const podSpec = (shape: PodShape, settings: Settings) => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  terminationGracePeriodSeconds: shape.graceSeconds,
  securityContext: podSecurity,
  containers: [container(shape, settings)],
  ...(shape.claim === undefined
    ? {}
    : { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: shape.claim } }] }),
});

/** Short: what runs on a lost node without a volume is wanted elsewhere soon. */
export const shortTolerations = ['not-ready', 'unreachable'].map((reason) => ({
  key: `node.kubernetes.io/${reason}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 5,
}));

/** For ever: the operator itself decides when a replica on a lost node is given up. */
export const patientTolerations = shortTolerations.map(({ key, operator, effect }) => ({ key, operator, effect }));

/** A short hash of a template: another hash means that pods made from the old one are outdated. */
export const templateHash = (template: unknown): string =>
  createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 12);
