import { KubeConfig } from '@kubernetes/client-node';
import type { Registry } from 'prom-client';
import type { KubeClient } from './client.ts';
import { HttpKubeClient } from './kube-client.ts';
import { KubeError } from './kube-error.ts';
import { runtimeMetrics } from './metrics.ts';
import { TokenBucket } from './token-bucket.ts';
import { Transport } from './transport.ts';

export interface ConnectOptions {
  readonly metrics?: Registry;
  /** A kubeconfig file; absent: KUBECONFIG, then ~/.kube/config, then the pod's service account. */
  readonly kubeconfig?: string;
  /** Sustained requests per second, default 50, and burst, default 100. Watches do not count. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
}

const DEFAULT_RATE = { perSecond: 50, burst: 100 };

/**
 * Loads credentials and makes a client. Does not talk to the server yet.
 * @throws KubeError 'unauthorized' when no usable configuration is found
 */
export function connectKube(options: ConnectOptions = {}): KubeClient {
  const metrics = runtimeMetrics(options.metrics);
  const bucket = new TokenBucket(options.rate ?? DEFAULT_RATE);
  return new HttpKubeClient({ transport: new Transport(loadConfig(options.kubeconfig)), bucket, metrics });
}

function loadConfig(file: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (cause) {
    throw new KubeError('unauthorized', `cannot load the kubeconfig ${file ?? '(default)'}`, { cause });
  }
  return config;
}
