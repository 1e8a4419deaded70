import { mkdir } from 'node:fs/promises';
import { cacheFolder, kubeconfig } from './cache.ts';
import { clusterConfig, clusterName, workersWanted } from './config.ts';
import type { KindTools } from './kind-tools.ts';
import { run, succeeds } from './run.ts';

/** The Docker network of the cluster and the name of its bridge. It is ours alone, so that what we forbid touches nothing else. */
export const network = 'quartet-kind';

/**
 * A cluster made without a registry reaches nothing outside of this computer: what its pods look for there is not answered by
 * whoever the network has, it is refused at once.
 */
const staysHere = [
  'DOCKER-USER',
  '-i',
  network,
  '!',
  '-o',
  network,
  '-m',
  'conntrack',
  '--ctstate',
  'NEW',
  '-j',
  'REJECT',
];

/** The nodes' containers, of a cluster that may be half broken too. */
export const nodesOf = async ({ kind }: Pick<KindTools, 'kind'>): Promise<string[]> => {
  const said = await run(kind, ['get', 'nodes', '--name', clusterName]);
  return said
    .split('\n')
    .filter((line) => line.startsWith(`${clusterName}-`))
    .sort();
};

const createNetwork = async (): Promise<void> => {
  if (await succeeds('docker', ['network', 'inspect', network])) return;
  await run('docker', ['network', 'create', '-o', `com.docker.network.bridge.name=${network}`, network]);
};

/** Makes the rule of a cluster without a registry. */
const keepHere = async (): Promise<void> => {
  if (await succeeds('iptables', ['-C', ...staysHere])) return;
  await run('iptables', ['-I', ...staysHere]);
};

/** Starts nodes that were stopped, for example by a restart of Docker. */
const startNodes = async (nodes: readonly string[]): Promise<void> => {
  const states = await run('docker', ['inspect', '--format', '{{.State.Status}} {{.Name}}', ...nodes]);
  for (const line of states.split('\n')) {
    const [state, name = ''] = line.split(' /');
    if (state === 'exited' || state === 'created') await run('docker', ['start', name]);
    if (state === 'paused') await run('docker', ['unpause', name]);
  }
};

/** What makes a cluster. */
export interface ClusterPlan {
  readonly tools: KindTools;
  /** The node image. */
  readonly image: string;
  /** Whether images can be pulled; if not, the cluster reaches nothing outside. */
  readonly reachesOut: boolean;
}

/**
 * Makes the cluster, unless it is there. Its kubeconfig is in the cache folder; the one of the user is not touched.
 * @returns whether it was made now
 * @throws KindError `command-failed`
 */
export const ensureCluster = async ({ tools, image, reachesOut }: ClusterPlan): Promise<boolean> => {
  await mkdir(cacheFolder, { recursive: true });
  const there = await nodesOf(tools);
  if (!reachesOut) await createNetwork().then(keepHere);
  if (there.length > 0) {
    await startNodes(there);
    await run(tools.kind, ['export', 'kubeconfig', '--name', clusterName, '--kubeconfig', kubeconfig]);
    return false;
  }
  const args = ['create', 'cluster', '--image', image, '--kubeconfig', kubeconfig, '--config', '-'];
  const env = { KIND_EXPERIMENTAL_DOCKER_NETWORK: network };
  await createNetwork();
  await run(tools.kind, args, { input: clusterConfig(workersWanted(process.env['WORKERS'])), env, timeoutMs: 600_000 });
  return true;
};

/** Deletes the cluster, its network and its rule. Not being there is fine. */
export const deleteCluster = async ({ kind }: Pick<KindTools, 'kind'>): Promise<void> => {
  await run(kind, ['delete', 'cluster', '--name', clusterName, '--kubeconfig', kubeconfig], { timeoutMs: 120_000 });
  while (await succeeds('iptables', ['-D', ...staysHere])) continue;
  await succeeds('docker', ['network', 'rm', network]);
};
