import { z } from 'zod';
import { natsUsers, type NatsUser } from '../contract/permissions.ts';
import { durationMs } from '../crds/duration.ts';
import { quantityBytes } from '../crds/quantity.ts';
import type { RebalanceSettings } from './rebalance/rebalancer.ts';

const password = z.string().min(1).optional();

/** Text that `read` understands. */
const readBy = (read: (text: string) => number) =>
  z.string().refine((text) => {
    try {
      return read(text) > 0;
    } catch {
      return false;
    }
  }, 'not understood');
const size = readBy(quantityBytes);
const time = readBy(durationMs);

/** The operator's environment: written by the chart, parsed once by main.ts. */
const environment = z.object({
  QUARTET_NAMESPACE: z.string().min(1).default('quartet-system'),
  QUARTET_POD: z.string().min(1).default('operator'),
  /** Address of the health and metrics server. */
  QUARTET_POD_IP: z.string().min(1).default('127.0.0.1'),
  QUARTET_ADMIN_PORT: z.coerce.number().int().min(0).max(65535).default(9090),
  QUARTET_NATS_URL: z.string().regex(/^(nats|tls):\/\/[^\s]+$/),
  /** Monitors of all servers (http://host:8222), separated by commas; empty: whether they write to disk at once is not verified. */
  QUARTET_NATS_MONITORS: z
    .string()
    .regex(/^(https?:\/\/[^\s,]+(,|$))*$/)
    .default(''),
  QUARTET_NATS_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
  /** Passwords of NATS' users: all of them, or none when NATS asks for none. */
  QUARTET_NATS_OPERATOR_PASSWORD: password,
  QUARTET_NATS_EDGE_PASSWORD: password,
  QUARTET_NATS_SEARCH_PASSWORD: password,
  QUARTET_NATS_CHAT_PASSWORD: password,
  QUARTET_NATS_DB_PASSWORD: password,
  /** Certificates (PEM) that NATS is checked against. */
  QUARTET_NATS_CA: z.string().min(1).optional(),
  /** Whether namespaces with resources get NetworkPolicies. */
  QUARTET_NETWORK_POLICIES: z.enum(['true', 'false']).default('false'),
  /** Namespace from which metrics are read; empty: from any. */
  QUARTET_MONITORING_NAMESPACE: z.string().default(''),
  /** Label app.kubernetes.io/instance of the NATS pods in the operator's namespace; empty when NATS is elsewhere. */
  QUARTET_NATS_INSTANCE: z.string().default(''),
  QUARTET_IMAGE: z.string().min(1),
  QUARTET_IMAGE_PULL_POLICY: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  QUARTET_STORAGE_CLASS: z.string().default(''),
  QUARTET_GATEWAY_REPLICAS: z.coerce.number().int().min(1).max(50).default(2),
  QUARTET_SERVICE_TYPE: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']).default('LoadBalancer'),
  QUARTET_CHAT_DEVELOPMENT: z.enum(['true', 'false']).default('false'),
  QUARTET_ROUTER_MODE: z.enum(['proxy', 'redirect']).default('proxy'),
  QUARTET_TRUSTED_PROXIES: z.string().default(''),
  /** Whether replicas and primaries move for a better balance of load and size over nodes. */
  QUARTET_REBALANCE: z.enum(['true', 'false']).default('true'),
  /** Moves for balance at once. */
  QUARTET_REBALANCE_MOVES: z.coerce.number().int().min(1).max(100).default(1),
  /** Bytes that they copy within any hour. */
  QUARTET_REBALANCE_BYTES_PER_HOUR: size.default('50Gi'),
  /** Rest after each. */
  QUARTET_REBALANCE_PAUSE: time.default('30s'),
  /** Time that figures of work are a mean of. */
  QUARTET_REBALANCE_OVER: time.default('2m'),
  QUARTET_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
});

type Environment = z.infer<typeof environment>;

export interface Settings {
  readonly namespace: string;
  readonly pod: string;
  readonly admin: { readonly host: string; readonly port: number };
  readonly nats: {
    readonly url: string;
    readonly replicas: number;
    /** Monitors of all servers; absent: whether they write to disk at once is not verified. */
    readonly monitors?: readonly string[];
    /** Absent: NATS asks for none. */
    readonly passwords?: Readonly<Record<NatsUser, string>>;
    /** Certificates (PEM) that NATS is checked against; absent: no TLS, or with certificates that Node knows. */
    readonly ca?: string;
  };
  /** Null: none are made. */
  readonly networkPolicies: { readonly monitoringNamespace: string; readonly natsInstance: string } | null;
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly storageClass: string;
  readonly gatewayReplicas: number;
  readonly serviceType: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  readonly chatDevelopment: boolean;
  readonly routerMode: 'proxy' | 'redirect';
  readonly trustedProxies: string;
  readonly rebalance: RebalanceSettings;
  readonly logLevel: string;
}

const passwordsOf = (e: Environment): Readonly<Record<NatsUser, string>> | undefined => {
  const passwords: Readonly<Record<NatsUser, string | undefined>> = {
    operator: e.QUARTET_NATS_OPERATOR_PASSWORD,
    edge: e.QUARTET_NATS_EDGE_PASSWORD,
    search: e.QUARTET_NATS_SEARCH_PASSWORD,
    chat: e.QUARTET_NATS_CHAT_PASSWORD,
    db: e.QUARTET_NATS_DB_PASSWORD,
  };
  const given = natsUsers.filter((user) => passwords[user] !== undefined);
  if (given.length === 0) return undefined;
  if (given.length < natsUsers.length) {
    const missing = natsUsers.filter((user) => !given.includes(user)).map((user) => `${user}-password`);
    throw new Error(`the Secret with NATS' passwords lacks ${missing.join(', ')}`);
  }
  return passwords as Readonly<Record<NatsUser, string>>;
};

const natsOf = (e: Environment): Settings['nats'] => {
  const passwords = passwordsOf(e);
  return {
    url: e.QUARTET_NATS_URL,
    replicas: e.QUARTET_NATS_REPLICAS,
    ...(e.QUARTET_NATS_MONITORS !== '' && { monitors: e.QUARTET_NATS_MONITORS.split(',').filter(Boolean) }),
    ...(passwords && { passwords }),
    ...(e.QUARTET_NATS_CA !== undefined && { ca: e.QUARTET_NATS_CA }),
  };
};

const rebalanceOf = (e: Environment): RebalanceSettings => ({
  enabled: e.QUARTET_REBALANCE === 'true',
  movesAtOnce: e.QUARTET_REBALANCE_MOVES,
  bytesPerHour: quantityBytes(e.QUARTET_REBALANCE_BYTES_PER_HOUR),
  pauseMs: durationMs(e.QUARTET_REBALANCE_PAUSE),
  overMs: durationMs(e.QUARTET_REBALANCE_OVER),
});

/** Parses the environment; throws an Error when some of NATS' passwords are missing and a ZodError that names each variable that is wrong. */
export const parseSettings = (env: Readonly<Record<string, string | undefined>>): Settings => {
  const e = environment.parse(env);
  return {
    namespace: e.QUARTET_NAMESPACE,
    pod: e.QUARTET_POD,
    admin: { host: e.QUARTET_POD_IP, port: e.QUARTET_ADMIN_PORT },
    nats: natsOf(e),
    networkPolicies:
      e.QUARTET_NETWORK_POLICIES === 'true'
        ? { monitoringNamespace: e.QUARTET_MONITORING_NAMESPACE, natsInstance: e.QUARTET_NATS_INSTANCE }
        : null,
    image: e.QUARTET_IMAGE,
    imagePullPolicy: e.QUARTET_IMAGE_PULL_POLICY,
    storageClass: e.QUARTET_STORAGE_CLASS,
    gatewayReplicas: e.QUARTET_GATEWAY_REPLICAS,
    serviceType: e.QUARTET_SERVICE_TYPE,
    chatDevelopment: e.QUARTET_CHAT_DEVELOPMENT === 'true',
    routerMode: e.QUARTET_ROUTER_MODE,
    trustedProxies: e.QUARTET_TRUSTED_PROXIES,
    rebalance: rebalanceOf(e),
    logLevel: e.QUARTET_LOG_LEVEL,
  };
};
