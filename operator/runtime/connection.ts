import type { Registry } from 'prom-client';
import type { KubeClient } from './client.ts';
import { HttpKubeClient } from './kube-client.ts';
import { findAccess } from './kubeconfig.ts';
import { runtimeMetrics } from './metrics.ts';
import { TokenBucket } from './token-bucket.ts';
import { Transport } from './transport.ts';

export interface ConnectOptions {
  readonly metrics?: Registry;
  /** A kubeconfig file; absent: see `findAccess`. */
  readonly kubeconfig?: string;
  /** Sustained requests per second, default 200, and burst, default 400. Watches do not count. The server has its own fairness; this bounds what a bug here can do. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
}

const DEFAULT_RATE = { perSecond: 200, burst: 400 };

/**
 * Finds credentials and makes a client. Does not talk to the server yet.
 * @throws KubeError 'unauthorized' when there is no usable configuration
 */
export function connectKube(options: ConnectOptions = {}): KubeClient {
  const metrics = runtimeMetrics(options.metrics);
  const bucket = new TokenBucket(options.rate ?? DEFAULT_RATE);
  return new HttpKubeClient({ transport: new Transport(findAccess(options.kubeconfig)), bucket, metrics });
}
