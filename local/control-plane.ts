import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient } from './api/client.ts';
import { Component } from './control-plane/component.ts';
import { kubeconfig, loadCredentials, type ClusterUser, type Credentials } from './control-plane/credentials.ts';
import {
  apiserverFlags,
  certificateOf,
  controllerManagerFlags,
  etcdFlags,
  schedulerFlags,
  type Layout,
} from './control-plane/flags.ts';
import { freePorts } from './processes/ports.ts';
import { tool } from './tools.ts';

export interface ControlPlaneOptions {
  /** Holds etcd's data, certificates, tokens and logs; made when missing. Data in it are used again. */
  readonly dir: string;
  /** Also run kube-controller-manager and kube-scheduler. Without them nothing garbage-collects, schedules or fails over. */
  readonly controllers?: boolean;
  /** Free ports when left out. */
  readonly ports?: Layout['ports'];
  /** Default 127.96.0.0/16. */
  readonly serviceRange?: string;
}

/** A program of the control plane, for tests that break it. */
export interface ControlPlaneProcess {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  /** Starts it again on the same port and data; resolves when it is ready. */
  start(): Promise<void>;
}

export interface ControlPlane {
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly url: string;
  /** The administrator's bearer token. */
  readonly token: string;
  /** PEM file that the API server's certificate is checked against. */
  readonly certificate: string;
  readonly client: ApiClient;
  readonly apiserver: ControlPlaneProcess;
  /** All programs, in the order of their start. */
  readonly components: readonly Component[];
  stop(): Promise<void>;
}

const choosePorts = async (): Promise<Layout['ports']> => {
  const [etcd = 0, etcdPeer = 0, apiserver = 0] = await freePorts(3);
  return { etcd, etcdPeer, apiserver };
};

const etcdComponent = async (layout: Layout): Promise<Component> =>
  new Component({
    name: 'etcd',
    command: await tool('etcd'),
    args: etcdFlags(layout),
    log: join(layout.dir, 'logs', 'etcd.log'),
    ready: async () => {
      const response = await fetch(`http://127.0.0.1:${layout.ports.etcd}/health`, {
        signal: AbortSignal.timeout(1000),
      });
      await response.body?.cancel();
      return response.ok ? true : undefined;
    },
  });

interface ApiserverOptions {
  readonly layout: Layout;
  readonly credentials: Credentials;
  readonly client: ApiClient;
  /** Without controllers nobody makes service accounts, so pods must be admitted without one. */
  readonly controlled: boolean;
}

const apiserverComponent = async (options: ApiserverOptions): Promise<Component> => {
  const { layout, credentials, client, controlled } = options;
  return new Component({
    name: 'kube-apiserver',
    command: await tool('kube-apiserver'),
    args: [
      ...apiserverFlags(layout, credentials),
      ...(controlled ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ],
    log: join(layout.dir, 'logs', 'kube-apiserver.log'),
    ready: async () => {
      await client.text('GET', '/readyz');
      return true;
    },
  });
};

const controllers = async (layout: Layout, credentials: Credentials, client: ApiClient): Promise<Component[]> => {
  const write = async (user: ClusterUser): Promise<string> => {
    const path = join(layout.dir, `${user}.kubeconfig`);
    const token = credentials.tokens[user];
    const access = { url: client.url, certificate: certificateOf(layout.dir), user: { token } };
    await writeFile(path, kubeconfig(access), { mode: 0o600 });
    return path;
  };
  const log = (name: string): string => join(layout.dir, 'logs', `${name}.log`);
  // With --secure-port=0 they have no health endpoint; that they run is what can be known.
  const ready = (): Promise<true> => Promise.resolve(true);
  return [
    new Component({
      name: 'kube-controller-manager',
      command: await tool('kube-controller-manager'),
      args: controllerManagerFlags(layout, credentials, await write('controllers')),
      log: log('kube-controller-manager'),
      ready,
    }),
    new Component({
      name: 'kube-scheduler',
      command: await tool('kube-scheduler'),
      args: schedulerFlags(await write('scheduler')),
      log: log('kube-scheduler'),
      ready,
    }),
  ];
};

const startInOrder = async (components: readonly Component[]): Promise<void> => {
  for (const component of components) await component.start();
};

/** Last started, first stopped: etcd outlives its clients. */
const stopInOrder = async (components: readonly Component[]): Promise<void> => {
  for (const component of components.toReversed()) await component.stop();
};

/**
 * Starts a Kubernetes API server on etcd, as child processes on loopback; with `controllers` the controller manager and the
 * scheduler too. Real Kubernetes in all but nodes. Everything ends with this process, however it ends.
 * @throws LocalError `tool-missing`, `start-failed`
 */
export const startControlPlane = async (options: ControlPlaneOptions): Promise<ControlPlane> => {
  const layout: Layout = {
    dir: options.dir,
    ports: options.ports ?? (await choosePorts()),
    serviceRange: options.serviceRange ?? '127.96.0.0/16',
  };
  await mkdir(join(options.dir, 'pki'), { recursive: true, mode: 0o700 });
  const credentials = await loadCredentials(join(options.dir, 'pki'));
  const certificate = certificateOf(options.dir);
  const url = `https://127.0.0.1:${layout.ports.apiserver}`;
  const token = credentials.tokens.admin;
  const client = new ApiClient({ url, token, certificate: () => readFile(certificate) });
  const path = join(options.dir, 'admin.kubeconfig');
  await writeFile(path, kubeconfig({ url, certificate, user: { token } }), { mode: 0o600 });
  const controlled = options.controllers === true;
  const apiserver = await apiserverComponent({ layout, credentials, client, controlled });
  const components = [await etcdComponent(layout), apiserver];
  const stop = async (): Promise<void> => {
    client.close();
    await stopInOrder(components);
  };
  try {
    await startInOrder(components);
    if (controlled) {
      const more = await controllers(layout, credentials, client);
      components.push(...more);
      await startInOrder(more);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { kubeconfig: path, url, token, certificate, client, apiserver, components, stop };
};
