import type { ReplicatedKind } from '../../contract/names.ts';
import { resourceOf } from '../caches.ts';
import type { Operation } from '../operation.ts';
import { annotations } from '../pod-template.ts';
import type { Pod } from '../runtime/builtin.ts';
import type { ReplicaSet } from './kind.ts';
import { setTemplateHash } from './objects.ts';

/** How far one set of a namespace is with a new template. */
export interface RollOutState {
  /** `db/<namespace>/<name>` or `search/…`. */
  readonly set: string;
  /** Pods of an older template. */
  readonly outdated: number;
  /** Pods of the template of now. */
  readonly current: number;
  /** A pod of the template of now that is not ready, on a node that takes pods. */
  readonly broken: string | null;
}

/**
 * Why a set waits with its new template; null when it is its turn. One set of a namespace changes at a time, and none
 * while a pod that has the new template does not work: so a bad image takes one replica of one shard, no more.
 */
export const waitsFor = (set: string, states: readonly RollOutState[]): string | null => {
  const broken = states.find((state) => state.set !== set && state.broken !== null);
  if (broken) return `paused: ${broken.broken} has the new template and is not ready`;
  const changing = states
    .filter(({ outdated }) => outdated > 0)
    .sort((a, b) => Number(b.current > 0) - Number(a.current > 0) || (a.set < b.set ? -1 : 1));
  const [first] = changing;
  return first === undefined || first.set === set ? null : `${first.set} gets it first`;
};

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

const stateOf = (set: string, pods: readonly Pod[], hash: string, { nodes }: Operation): RollOutState => {
  const current = pods.filter(({ metadata }) => metadata.annotations?.[annotations.template] === hash);
  const nodeOf = ({ metadata }: Pod): string => metadata.annotations?.[annotations.node] ?? '';
  const broken = current.find((pod) => !isReady(pod) && nodes.get(nodeOf(pod))?.usable === true);
  return {
    set,
    outdated: pods.length - current.length,
    current: current.length,
    broken: broken?.metadata.name ?? null,
  };
};

/** Reads from the caches what {@link waitsFor} decides by. Nothing is looked at while the set itself is up to date. */
export const rollOutWaitsFor = (
  kind: ReplicatedKind,
  set: ReplicaSet,
  pods: readonly Pod[],
  operation: Operation,
): string | null => {
  const { caches, settings } = operation;
  const { namespace = '', name } = set.metadata;
  const own = setTemplateHash(kind, set, settings);
  if (pods.every(({ metadata }) => metadata.annotations?.[annotations.template] === own)) return null;
  const bySet = Map.groupBy(caches.pods.list(namespace), (pod) => resourceOf(pod) ?? '');
  const states = [
    ...caches.dbShards.list(namespace).map((shard) => ['db', shard] as const),
    ...caches.searchShards.list(namespace).map((shard) => ['search', shard] as const),
  ].map(([of, shard]) => {
    const key = `${of}/${namespace}/${shard.metadata.name}`;
    return stateOf(key, bySet.get(key) ?? [], setTemplateHash(of, shard, settings), operation);
  });
  return waitsFor(`${kind}/${namespace}/${name}`, states);
};
