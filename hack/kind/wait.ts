import { setTimeout as sleep } from 'node:timers/promises';
import { readinessOf, resourceKinds, summaryOf } from '../../cli/resources.ts';
import { reasonOf } from '../../local/errors.ts';
import { kubectl } from './install.ts';
import { KindError } from './kind-error.ts';
import type { KindTools } from './kind-tools.ts';

/** Something to wait for. */
export interface Wait {
  /** For people: `the operator is`. */
  readonly what: string;
  readonly timeoutMs: number;
  /** What is missing, in words; empty when nothing is. */
  look(): Promise<string>;
}

/** Waits, and says what for. @throws KindError `not-ready` with what was missing at the end */
export const waitFor = async ({ what, timeoutMs, look }: Wait, tell: (text: string) => void): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  let missing = '';
  while (performance.now() < deadline) {
    missing = await look().catch(reasonOf);
    if (missing === '') return;
    tell(missing);
    await sleep(500);
  }
  throw new KindError('not-ready', `${what} not ready after ${timeoutMs / 1000} s: ${missing}`);
};

type Listed = Parameters<typeof readinessOf>[1] & {
  readonly kind: string;
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly numberReady?: number;
    readonly desiredNumberScheduled?: number;
    readonly observedGeneration?: number;
  };
};

const list = async (tools: KindTools, args: readonly string[]): Promise<readonly Listed[]> => {
  const text = await kubectl(tools, ['get', ...args, '-o', 'json', '--request-timeout=10s']);
  return (JSON.parse(text) as { items: readonly Listed[] }).items;
};

/** Nodes that are not Ready. */
export const nodesMissing = async (tools: KindTools): Promise<string> => {
  const nodes = (await list(tools, ['nodes'])).map((node) =>
    readinessOf('nodes', { ...node, metadata: { ...node.metadata, generation: 0 } }),
  );
  return nodes.every(({ ready }) => ready) ? '' : summaryOf(nodes);
};

/** Pods asked for, and those that are ready and of the latest template. A DaemonSet has other words for both. Pure. */
const podsOf = ({ spec, status = {} }: Listed): { wanted: number; ready: number } => {
  const wanted = status.desiredNumberScheduled ?? spec?.replicas ?? 1;
  const ready = status.numberReady ?? status.readyReplicas ?? 0;
  return { wanted, ready: Math.min(ready, status.updatedReplicas ?? wanted) };
};

/** Why a workload is not what its spec asks for; empty when it is. Pure. */
export const workloadMissing = (workload: Listed): string => {
  const { kind, metadata, status } = workload;
  const { wanted, ready } = podsOf(workload);
  const isSeen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  return isSeen && ready >= wanted ? '' : `${kind.toLowerCase()}/${metadata.name} has ${ready} of ${wanted} pods ready`;
};

/** Deployments, StatefulSets and DaemonSets of a namespace that are not as they should be. */
export const workloadsMissing = async (tools: KindTools, namespace: string): Promise<string> => {
  const all = await list(tools, ['deployments,statefulsets,daemonsets', '--namespace', namespace]);
  return all
    .map(workloadMissing)
    .filter((text) => text !== '')
    .join(', ');
};

/** Resources of the four kinds that are not Ready. */
export const resourcesMissing = async (tools: KindTools): Promise<string> => {
  const all = await list(tools, [resourceKinds.join(','), '--all-namespaces']);
  const resources = all.map((object) => readinessOf(`${object.kind.toLowerCase()}s`, object));
  return resources.every(({ ready }) => ready) ? '' : summaryOf(resources);
};
