import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import type { Registry } from 'prom-client';
import { type ControlPlane, startControlPlane } from '../../../local/control-plane.ts';
import { freePorts } from '../../../local/processes/ports.ts';
import type { KubeClient } from '../client.ts';
import { connectKube } from '../connection.ts';
import { isKubeError } from '../kube-error.ts';
import { resource } from '../resource.ts';
import { until } from './until.ts';
import { widgetDefinition, widgets } from './widget.ts';

/** A real API server of its own for a test file. */
export interface TestCluster {
  readonly controlPlane: ControlPlane;
  readonly kubeconfig: string;
  readonly port: number;
  /** A client without a rate limit worth the name, for the test itself. */
  readonly client: KubeClient;
  /** A kubeconfig that goes through another port of loopback. */
  kubeconfigVia(port: number): Promise<string>;
  /** A namespace of its own for a test. */
  namespace(): Promise<string>;
  /** Makes etcd forget versions before this one, and restarts the API server, whose own cache remembers them. */
  compact(revision: string): Promise<void>;
  /** A fresh client. */
  connect(options?: { kubeconfig?: string; metrics?: Registry }): KubeClient;
  stop(): Promise<void>;
}

const namespaces = resource('v1', 'Namespace', 'namespaces', 'cluster');

export const FAST = { perSecond: 10_000, burst: 10_000 };
export const silent = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

/** Starts etcd and kube-apiserver and installs the test kind. */
export async function startTestCluster(): Promise<TestCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'quartet-runtime-'));
  const [etcd = 0, etcdPeer = 0, apiserver = 0] = await freePorts(3);
  const ports = { etcd, etcdPeer, apiserver };
  const controlPlane = await startControlPlane({ dir, ports });
  const { kubeconfig } = controlPlane;
  const connect: TestCluster['connect'] = (options = {}) => connectKube({ kubeconfig, rate: FAST, ...options });
  const client = connect();
  await client.apply(widgetDefinition.resource, widgetDefinition.object, { fieldManager: 'test' });
  await until('the test kind is served', () =>
    client.list(widgets).then(
      () => true,
      (error: unknown) => !isKubeError(error, 'not-found'),
    ),
  );
  let count = 0;
  return {
    controlPlane,
    async namespace() {
      count += 1;
      const name = `test-${count}`;
      await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      return name;
    },
    kubeconfig,
    port: Number(new URL(controlPlane.url).port),
    client,
    connect,
    async kubeconfigVia(port) {
      const path = join(dir, `via-${port}.kubeconfig`);
      const text = await readFile(kubeconfig, 'utf8');
      await writeFile(path, text.replaceAll(controlPlane.url, `https://127.0.0.1:${port}`), { mode: 0o600 });
      return path;
    },
    async compact(revision) {
      const body = JSON.stringify({ revision, physical: true });
      const response = await fetch(`http://127.0.0.1:${ports.etcd}/v3/kv/compaction`, { method: 'POST', body });
      if (!response.ok) throw new Error(`compaction: ${await response.text()}`);
      await restart(controlPlane);
    },
    async stop() {
      client.close();
      await controlPlane.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Kills the API server and starts it again. */
export async function restart({ apiserver }: ControlPlane): Promise<void> {
  apiserver.kill('SIGKILL');
  await apiserver.exited;
  await apiserver.start();
}
