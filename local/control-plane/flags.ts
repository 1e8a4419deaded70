import { join } from 'node:path';
import type { Credentials } from './credentials.ts';

/** Where a control plane lives. */
export interface Layout {
  readonly dir: string;
  readonly ports: { readonly etcd: number; readonly etcdPeer: number; readonly apiserver: number };
  /** CIDR inside 127.0.0.0/8: the addresses of Services are loopback addresses. */
  readonly serviceRange: string;
}

/** The self-signed certificate that the API server makes at its first start, with its issuer in the same file. */
export const certificateOf = (dir: string): string => join(dir, 'pki', 'apiserver.crt');

export const etcdFlags = ({ dir, ports }: Layout): string[] => [
  '--name=quartet',
  `--data-dir=${join(dir, 'etcd')}`,
  `--listen-client-urls=http://127.0.0.1:${ports.etcd}`,
  `--advertise-client-urls=http://127.0.0.1:${ports.etcd}`,
  `--listen-peer-urls=http://127.0.0.1:${ports.etcdPeer}`,
  `--initial-advertise-peer-urls=http://127.0.0.1:${ports.etcdPeer}`,
  `--initial-cluster=quartet=http://127.0.0.1:${ports.etcdPeer}`,
  '--auto-compaction-mode=periodic',
  '--auto-compaction-retention=30m',
  '--log-level=warn',
];

/**
 * - RBAC, so that a pod may do exactly what its service account may.
 * - `endpoint-reconciler-type=none`: endpoint validation refuses loopback addresses; Services are published by `services/`.
 * - Pods leave a node that is not ready after 2 s instead of 300 s: nodes here come and go by command.
 */
export const apiserverFlags = ({ dir, ports, serviceRange }: Layout, credentials: Credentials): string[] => [
  `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
  '--bind-address=127.0.0.1',
  '--advertise-address=127.0.0.1',
  `--secure-port=${ports.apiserver}`,
  `--cert-dir=${join(dir, 'pki')}`,
  `--token-auth-file=${credentials.tokenFile}`,
  '--authorization-mode=RBAC',
  '--anonymous-auth=false',
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-key-file=${credentials.serviceAccountKey}`,
  `--service-account-signing-key-file=${credentials.serviceAccountKey}`,
  `--service-cluster-ip-range=${serviceRange}`,
  '--endpoint-reconciler-type=none',
  '--default-not-ready-toleration-seconds=2',
  '--default-unreachable-toleration-seconds=2',
  // Nodes have no names that a resolver knows.
  '--kubelet-preferred-address-types=InternalIP',
  '--allow-privileged=false',
  '--profiling=false',
  '--event-ttl=30m',
];

/** Controllers that would act for a cloud, for real networks, or refuse loopback addresses. */
const unused = [
  'cloud-node-lifecycle-controller',
  'endpoints-controller',
  'endpointslice-controller',
  'endpointslice-mirroring-controller',
  'node-ipam-controller',
  'node-route-controller',
  'persistentvolume-attach-detach-controller',
  'persistentvolume-expander-controller',
  'service-cidr-controller',
  'service-lb-controller',
];

/** A node is not ready after 6 s without a lease; looked at every second. */
export const controllerManagerFlags = ({ dir }: Layout, credentials: Credentials, kubeconfig: string): string[] => [
  `--kubeconfig=${kubeconfig}`,
  `--controllers=*,${unused.map((name) => `-${name}`).join(',')}`,
  `--root-ca-file=${certificateOf(dir)}`,
  `--service-account-private-key-file=${credentials.serviceAccountKey}`,
  '--leader-elect=false',
  '--secure-port=0',
  '--node-monitor-period=1s',
  '--node-monitor-grace-period=6s',
  '--node-eviction-rate=100',
  '--secondary-node-eviction-rate=100',
  '--unhealthy-zone-threshold=1',
  '--kube-api-qps=200',
  '--kube-api-burst=400',
  '--profiling=false',
];

export const schedulerFlags = (kubeconfig: string): string[] => [
  `--kubeconfig=${kubeconfig}`,
  '--leader-elect=false',
  '--secure-port=0',
  '--kube-api-qps=200',
  '--kube-api-burst=400',
  '--profiling=false',
];
