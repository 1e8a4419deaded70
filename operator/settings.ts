import { z } from 'zod';

/** The operator's environment: written by the chart, parsed once by main.ts. */
const environment = z.object({
  QUARTET_NAMESPACE: z.string().min(1).default('quartet-system'),
  QUARTET_POD: z.string().min(1).default('operator'),
  /** Address of the health and metrics server. */
  QUARTET_POD_IP: z.string().min(1).default('127.0.0.1'),
  QUARTET_ADMIN_PORT: z.coerce.number().int().min(0).max(65535).default(9090),
  QUARTET_NATS_URL: z.string().regex(/^(nats|tls):\/\/[^\s]+$/),
  QUARTET_NATS_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
  QUARTET_IMAGE: z.string().min(1),
  QUARTET_IMAGE_PULL_POLICY: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  QUARTET_STORAGE_CLASS: z.string().default(''),
  QUARTET_GATEWAY_REPLICAS: z.coerce.number().int().min(1).max(50).default(2),
  QUARTET_SERVICE_TYPE: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']).default('LoadBalancer'),
  QUARTET_CHAT_DEVELOPMENT: z.enum(['true', 'false']).default('false'),
  QUARTET_ROUTER_MODE: z.enum(['proxy', 'redirect']).default('proxy'),
  QUARTET_TRUSTED_PROXIES: z.string().default(''),
  QUARTET_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
});

export interface Settings {
  readonly namespace: string;
  readonly pod: string;
  readonly admin: { readonly host: string; readonly port: number };
  readonly nats: { readonly url: string; readonly replicas: number };
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly storageClass: string;
  readonly gatewayReplicas: number;
  readonly serviceType: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  readonly chatDevelopment: boolean;
  readonly routerMode: 'proxy' | 'redirect';
  readonly trustedProxies: string;
  readonly logLevel: string;
}

/** Parses the environment; throws a ZodError that names each variable that is wrong. */
export const parseSettings = (env: Readonly<Record<string, string | undefined>>): Settings => {
  const e = environment.parse(env);
  return {
    namespace: e.QUARTET_NAMESPACE,
    pod: e.QUARTET_POD,
    admin: { host: e.QUARTET_POD_IP, port: e.QUARTET_ADMIN_PORT },
    nats: { url: e.QUARTET_NATS_URL, replicas: e.QUARTET_NATS_REPLICAS },
    image: e.QUARTET_IMAGE,
    imagePullPolicy: e.QUARTET_IMAGE_PULL_POLICY,
    storageClass: e.QUARTET_STORAGE_CLASS,
    gatewayReplicas: e.QUARTET_GATEWAY_REPLICAS,
    serviceType: e.QUARTET_SERVICE_TYPE,
    chatDevelopment: e.QUARTET_CHAT_DEVELOPMENT === 'true',
    routerMode: e.QUARTET_ROUTER_MODE,
    trustedProxies: e.QUARTET_TRUSTED_PROXIES,
    logLevel: e.QUARTET_LOG_LEVEL,
  };
};
