import type { PersistentVolumeClaim, Pod } from '../runtime/builtin.ts';
import type { NatsState } from '../nats-link.ts';

/** One step of taking a replica set away. */
export type DeletionStep =
  /** Take it out of the directory and delete its pods; `force` those whose node cannot confirm. */
  | { readonly type: 'delete-pods'; readonly pods: readonly { readonly pod: Pod; readonly force: boolean }[] }
  | { readonly type: 'wait'; readonly why: string; readonly forMs: number }
  /** The log goes; then the volumes, by policy; then the finalizer. */
  | { readonly type: 'finish'; readonly claims: readonly PersistentVolumeClaim[] };

export interface DeletionObserved {
  readonly pods: readonly Pod[];
  readonly claims: readonly PersistentVolumeClaim[];
  readonly policy: 'Retain' | 'Delete';
  readonly nats: NatsState;
  readonly isLostNode: (node: string) => boolean;
  /** Why the log has to stay for now, asked when no pod is left; null: it may go. */
  readonly waitsFor: () => string | null;
}

/** Decides the next step: pods, then log, then volumes. */
export const planDeletion = (observed: DeletionObserved): DeletionStep => {
  const { pods, claims, policy, nats, waitsFor } = observed;
  if (pods.length > 0) {
    return {
      type: 'delete-pods',
      pods: pods.map((pod) => ({ pod, force: observed.isLostNode(pod.spec?.nodeName ?? '') })),
    };
  }
  if (nats.state !== 'ok') {
    return { type: 'wait', why: `the log cannot be removed: ${nats.problem}`, forMs: 5000 };
  }
  const why = waitsFor();
  if (why !== null) return { type: 'wait', why, forMs: 1000 };
  return { type: 'finish', claims: policy === 'Delete' ? claims : [] };
};
