import { z } from 'zod';
import { kubernetesName, resourceName } from './names.ts';

/**
 * The environment of a data-plane pod: written by the operator, parsed once by `dataplane/main.ts`.
 * A pod listens on its own address only, so that many pods can share a host in the embedded mode.
 */
export const podEnv = z.object({
  QUARTET_NAMESPACE: kubernetesName,
  QUARTET_POD: kubernetesName,
  /** Address to listen on (fieldRef status.podIP). */
  QUARTET_POD_IP: z.string().min(1),
  QUARTET_NODE: z.string().min(1),
  /** nats://host:port, several separated by commas. */
  QUARTET_NATS_URL: z.string().min(1),
  /** The user of NATS that this role is ({@link natsUserOf}) has this password; absent: NATS asks for none. */
  QUARTET_NATS_PASSWORD: z.string().min(1).optional(),
  /** Certificates (PEM) that servers of NATS are checked against; absent: those of Node. With it connections are TLS only. */
  QUARTET_NATS_CA: z.string().min(1).optional(),
  /** Copies of streams and buckets that pods create: 1, or 3 when NATS has three servers. */
  QUARTET_NATS_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
  /** Name of the custom resource; absent for gateways. */
  QUARTET_RESOURCE: resourceName.optional(),
  /** Port of the service's own protocol. Defaults to the role's port in {@link servicePorts}. */
  QUARTET_PORT: z.coerce.number().int().min(0).max(65535).optional(),
  /** Port for /healthz, /readyz and /metrics. */
  QUARTET_ADMIN_PORT: z.coerce.number().int().min(0).max(65535).default(9090),
  /** Directory for state; absent for roles without. */
  QUARTET_DATA_DIR: z.string().optional(),
  QUARTET_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  /** Chat: HMAC secret for connection tokens (from a Secret). */
  QUARTET_CHAT_TOKEN_SECRET: z.string().min(16).optional(),
  /** Chat: key that servers send to the HTTP API (from a Secret). */
  QUARTET_CHAT_API_KEY: z.string().min(16).optional(),
  /** Chat: 'true' accepts connections without a token. Never in production; the gateway says so at every start. */
  QUARTET_CHAT_DEVELOPMENT: z.enum(['true', 'false']).default('false'),
  /** Edge router: comma-separated CIDRs whose X-Client-Location and X-Forwarded-For are believed. */
  QUARTET_TRUSTED_PROXIES: z.string().default(''),
  /** Edge router: answer by proxying or by a 302. */
  QUARTET_ROUTER_MODE: z.enum(['proxy', 'redirect']).default('proxy'),
  /** Edge router: how it chooses among healthy edges. */
  QUARTET_ROUTER_STRATEGY: z.enum(['geo-score', 'least-load', 'round-robin']).default('geo-score'),
});
export type PodEnv = z.infer<typeof podEnv>;

/** Port of each role's own protocol. */
export const servicePorts = {
  edge: 8081,
  'edge-router': 8080,
  search: 0,
  'search-gateway': 9200,
  'chat-gateway': 8000,
  db: 6379,
  'db-gateway': 6379,
  site: 8000,
} as const;
