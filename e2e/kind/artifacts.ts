import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { KindCluster } from './cluster.ts';
import { shell } from './shell.ts';

/** Where failed tests leave what a person needs to find out why; not in git. */
export const artifactsRoot = resolve(import.meta.dirname, '../../e2e-artifacts');

const kinds =
  'nodes,pods,deployments,statefulsets,services,endpointslices,jobs,poddisruptionbudgets,persistentvolumeclaims,' +
  'persistentvolumes,networkpolicies,leases,configmaps,edgenodes,searchshards,chatrooms,dbshards,dbbackups';

interface PodOfLogs {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly status?: {
    readonly containerStatuses?: readonly { readonly name: string; readonly restartCount: number }[];
  };
}

/** Every source is asked; one that fails leaves its error instead. */
const save = async (file: string, read: Promise<string>): Promise<void> => {
  const text = await read.catch((error: unknown) => `not available: ${String(error)}`);
  await writeFile(file, text);
};

const containerLogs = async (cluster: KindCluster, folder: string, pod: PodOfLogs): Promise<void> => {
  const { metadata, status = {} } = pod;
  for (const { name, restartCount } of status.containerStatuses ?? []) {
    const of = ['logs', '-n', metadata.namespace, metadata.name, '-c', name, '--timestamps', '--tail=5000'];
    const file = join(folder, `${metadata.namespace}.${metadata.name}.${name}`);
    await save(`${file}.log`, cluster.kubectl(...of));
    if (restartCount > 0) await save(`${file}.previous.log`, cluster.kubectl(...of, '--previous'));
  }
};

const podLogs = async (cluster: KindCluster, folder: string): Promise<void> => {
  const text = await cluster.kubectl('get', 'pods', '-A', '-o', 'json');
  const pods = (JSON.parse(text) as { items: PodOfLogs[] }).items;
  const next = async (): Promise<void> => {
    for (let pod = pods.pop(); pod !== undefined; pod = pods.pop()) await containerLogs(cluster, folder, pod);
  };
  await Promise.all([next(), next(), next(), next()]);
};

/**
 * Saves logs of all containers (also of those that ended), events, all objects, and what the machines say.
 * @returns the folder
 */
export const saveArtifacts = async (cluster: KindCluster, test: string, failure: unknown): Promise<string> => {
  const folder = join(artifactsRoot, test.replaceAll(/\W+/g, '-').slice(0, 60));
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'logs'), { recursive: true });
  await writeFile(join(folder, 'failure.txt'), failure instanceof Error ? String(failure.stack) : String(failure));
  await save(join(folder, 'get-wide.txt'), cluster.kubectl('get', kinds, '-A', '-o', 'wide'));
  await save(join(folder, 'get.yaml'), cluster.kubectl('get', kinds, '-A', '-o', 'yaml'));
  await save(join(folder, 'events.txt'), cluster.kubectl('get', 'events', '-A', '--sort-by=.lastTimestamp'));
  await podLogs(cluster, join(folder, 'logs')).catch((error: unknown) =>
    writeFile(join(folder, 'logs', 'failed.txt'), String(error)),
  );
  await save(join(folder, 'streams.json'), cluster.streamsReport());
  for (const node of await cluster.containers()) {
    await save(join(folder, `${node}.docker.log`), shell('docker', ['logs', '--tail', '500', node]));
    const journal = ['exec', node, 'journalctl', '--no-pager', '-n', '2000'];
    await save(join(folder, `${node}.journal.log`), shell('docker', journal));
  }
  return folder;
};
