import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiClient } from '../api/client.ts';
import type { ConfigMap, Container, Pod, Secret } from '../api/objects.ts';
import { environmentOf, referencesOf, type ValueSources } from './environment.ts';
import { fieldOf } from './fields.ts';
import { canRun, programOf, programs, type Program } from './program.ts';
import { ServiceAccountToken } from './service-account.ts';
import { filesOf, makeVolumes, mountsOf, VolumeProblem } from './volumes.ts';

/** Why a pod cannot start: `reason` is what Kubernetes calls it. */
export class PrepareProblem extends Error {
  readonly reason: 'ErrImageNeverPull' | 'CreateContainerConfigError' | 'FailedMount';

  constructor(reason: PrepareProblem['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface PrepareDeps {
  readonly client: ApiClient;
  readonly stateDir: string;
  readonly certificate: string;
  readonly address: string;
  readonly hostIP: string;
}

/** A pod that has everything its containers need. */
export interface PreparedPod {
  launch(container: Container): {
    readonly program: Program;
    readonly env: NodeJS.ProcessEnv;
    readonly terminationLog: string;
  };
  /** Ends the renewal of its token. */
  stop(): void;
}

const checkImages = (containers: readonly Container[]): void => {
  for (const { image } of containers) {
    if (!canRun(image))
      throw new PrepareProblem('ErrImageNeverPull', `no program for image ${image}: only quartet runs here`);
  }
};

/** Fetches every secret and config map that the environment refers to. */
const fetchValues = async (client: ApiClient, pod: Pod, containers: readonly Container[]): Promise<ValueSources> => {
  const base = `/api/v1/namespaces/${pod.metadata.namespace}`;
  const fetchAll = async (kind: 'secret' | 'configMap', names: Iterable<string>) => {
    const values = new Map<string, ReadonlyMap<string, string>>();
    for (const name of names) {
      const path = `${base}/${kind === 'secret' ? 'secrets' : 'configmaps'}/${name}`;
      const object = await client.find<ConfigMap & Secret>(path);
      if (object === undefined) continue;
      values.set(name, new Map([...filesOf(object, kind)].map(([key, value]) => [key, value.toString()])));
    }
    return values;
  };
  const names = referencesOf(containers);
  const secrets = await fetchAll('secret', names.secrets);
  const configMaps = await fetchAll('configMap', names.configMaps);
  return { field: () => undefined, secret: (name) => secrets.get(name), configMap: (name) => configMaps.get(name) };
};

/** What every process gets besides what its container asks for. Nothing of our own environment leaks in but PATH. */
const surroundings = async (stateDir: string, podDir: string): Promise<Record<string, string>> => {
  const temporary = join(podDir, 'tmp');
  await mkdir(temporary, { recursive: true });
  return {
    PATH: `${programs}:${process.env['PATH'] ?? ''}`,
    HOME: temporary,
    TMPDIR: temporary,
    LANG: process.env['LANG'] ?? 'C.UTF-8',
    // 25 processes run the same modules: compiled once, on the disk.
    NODE_COMPILE_CACHE: join(stateDir, 'compile-cache'),
    NODE_DISABLE_COLORS: '1',
  };
};

/**
 * Makes all that a pod needs before its first process: volumes, environment, token.
 * @throws PrepareProblem what the pod waits for; ApiError
 */
export const preparePod = async (pod: Pod, deps: PrepareDeps): Promise<PreparedPod> => {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  checkImages(containers);
  const podDir = join(deps.stateDir, 'pods', pod.metadata.uid);
  const volumes = await makeVolumes(deps.client, pod, podDir).catch((error: unknown) => {
    throw error instanceof VolumeProblem ? new PrepareProblem('FailedMount', error.message) : error;
  });
  const values = await fetchValues(deps.client, pod, containers);
  const sources: ValueSources = { ...values, field: (path) => fieldOf(pod, deps, path) };
  const environments = new Map<string, Record<string, string>>();
  for (const container of containers) {
    const environment = environmentOf(container, sources);
    if (!environment.ok) throw new PrepareProblem('CreateContainerConfigError', `${environment.missing} is missing`);
    environments.set(container.name, environment.variables);
  }
  const base = await surroundings(deps.stateDir, podDir);
  const terminationLogs = join(podDir, 'termination');
  await mkdir(terminationLogs, { recursive: true });
  let token: ServiceAccountToken | undefined;
  if (pod.spec.automountServiceAccountToken !== false) {
    token = new ServiceAccountToken({ ...deps, pod, dir: podDir });
    base['KUBECONFIG'] = await token.start();
  }
  return {
    launch(container) {
      const terminationLog = join(terminationLogs, container.name);
      const { terminationMessagePath: mountPath = '/dev/termination-log' } = container;
      const mounts = [...mountsOf(container, volumes), { mountPath, directory: terminationLog }];
      const program = programOf(container, environments.get(container.name) ?? {}, mounts);
      return { program, env: { ...base, ...program.env }, terminationLog };
    },
    stop: () => token?.stop(),
  };
};
