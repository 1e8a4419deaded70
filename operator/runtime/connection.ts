import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { KubeClient } from './client.ts';

export interface ConnectOptions {
  readonly log: Logger;
  readonly metrics?: Registry;
  /** A kubeconfig file; absent: KUBECONFIG, then in-cluster, then ~/.kube/config. */
  readonly kubeconfig?: string;
  /** Sustained requests per second, default 50, and burst, default 100. Watches do not count. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
}

/** Loads credentials and makes a client. Does not talk to the server yet. */
export function connectKube(_options: ConnectOptions): Promise<KubeClient> {
  throw new Error('under construction');
}
