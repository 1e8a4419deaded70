import type { ApiClient } from '../local/api/client.ts';
import type { Condition, KubeObject } from '../local/api/objects.ts';

/** A custom resource, or a Deployment: what has conditions. */
interface Conditioned extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation?: number };
  readonly status?: { readonly conditions?: readonly (Condition & { readonly observedGeneration?: number })[] };
}

/** Plural names of the kinds, in the order of their tables. */
export const resourceKinds = ['edgenodes', 'searchshards', 'chatrooms', 'dbshards', 'dbbackups'] as const;

/** Whether a resource is ready, and why not. */
export interface Readiness {
  /** `dbshards/app-a`. */
  readonly name: string;
  readonly namespace: string;
  readonly ready: boolean;
  /** For people; empty when it is ready. */
  readonly reason: string;
}

/** Ready; or a shard that gave its keys away in a merge, and has nothing to become ready for. */
const isFine = ({ status, reason }: Pick<Condition, 'status' | 'reason'>): boolean =>
  status === 'True' || reason === 'Merged';

/** Why an object is not ready, in words; empty when it is. */
const reasonNotReady = ({ metadata, status }: Conditioned): string => {
  const condition = status?.conditions?.find(({ type }) => type === 'Ready');
  if (condition === undefined) return 'not seen by the operator yet';
  if ((condition.observedGeneration ?? 0) < (metadata.generation ?? 0)) return 'its last change is not seen yet';
  return isFine(condition) ? '' : condition.message || condition.reason || 'not ready';
};

/** What the Ready condition of an object means. Pure. */
export const readinessOf = (kind: string, object: Conditioned): Readiness => {
  const reason = reasonNotReady(object);
  const { name, namespace = '' } = object.metadata;
  return { name: `${kind}/${name}`, namespace, ready: reason === '', reason };
};

/** All resources of all kinds. A kind that does not exist (yet) has none. @throws ApiError */
export const readResources = async (client: ApiClient): Promise<Readiness[]> => {
  const lists = await Promise.all(
    resourceKinds.map(async (kind) => {
      const list = await client.find<{ items: Conditioned[] }>(`/apis/quartet.dev/v1alpha1/${kind}`);
      return (list?.items ?? []).map((object) => readinessOf(kind, object));
    }),
  );
  return lists.flat();
};

/** Those not ready, for one line: `2 of 11 not ready: dbshards/app-a (no primary), …`. Pure. */
export const summaryOf = (resources: readonly Readiness[]): string => {
  const waiting = resources.filter(({ ready }) => !ready);
  const some = waiting.slice(0, 3).map(({ name, reason }) => `${name} (${reason})`);
  const more = waiting.length > some.length ? `, and ${waiting.length - some.length} more` : '';
  return `${resources.length - waiting.length} of ${resources.length} ready, waiting for ${some.join(', ')}${more}`;
};
