import { stringify } from 'yaml';
import { KindError } from './kind-error.ts';

/** The cluster's name; its nodes are the containers `quartet-control-plane`, `quartet-worker`, `quartet-worker2`, … */
export const clusterName = 'quartet';

/** Where the four services are reached from this computer: on 127.0.0.1, and on the NodePort of the same number. */
export const ports = { content: 30080, search: 30920, chat: 30800, database: 30637 } as const;

/** The zones; workers are put into them in turn. */
export const zones = ['zone-a', 'zone-b', 'zone-c'] as const;

/**
 * A dead node is noticed after 10 s rather than 50, and what may move does after 5 s rather than 300: the fault tests and a
 * person who tries it out do not wait. The rest is kind's.
 */
const patches = [
  {
    kind: 'ClusterConfiguration',
    controllerManager: { extraArgs: { 'node-monitor-grace-period': '10s', 'node-monitor-period': '1s' } },
    apiServer: {
      extraArgs: { 'default-not-ready-toleration-seconds': '5', 'default-unreachable-toleration-seconds': '5' },
    },
  },
  { kind: 'KubeletConfiguration', nodeLeaseDurationSeconds: 8 },
];

const mostWorkers = 9;

/** Workers that were asked for (WORKERS), three by default. Pure. @throws KindError `bad-setting` */
export const workersWanted = (asked: string | undefined): number => {
  const workers = Number(asked || zones.length);
  if (Number.isInteger(workers) && workers >= 1 && workers <= mostWorkers) return workers;
  throw new KindError('bad-setting', `WORKERS is ${asked}: say a number from 1 to ${mostWorkers}`);
};

/** kind's configuration of the cluster, as YAML. Pure. */
export const clusterConfig = (workers: number = zones.length): string =>
  stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    name: clusterName,
    kubeadmConfigPatches: patches.map((patch) => stringify(patch)),
    nodes: [
      {
        role: 'control-plane',
        extraPortMappings: Object.values(ports).map((port) => ({
          containerPort: port,
          hostPort: port,
          listenAddress: '127.0.0.1',
        })),
      },
      ...Array.from({ length: workers }, (_, i) => ({
        role: 'worker',
        labels: { 'topology.kubernetes.io/zone': zones[i % zones.length] },
      })),
    ],
  });
