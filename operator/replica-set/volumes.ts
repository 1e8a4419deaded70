import type { PersistentVolumeClaim, StorageClass } from '../runtime/builtin.ts';
import type { DesiredCondition } from '../runtime/conditions.ts';

/** What the volumes of a set are judged by. */
export interface VolumesObserved {
  /** Storage class that is asked for; empty: the cluster's default. */
  readonly className: string;
  readonly classes: readonly Pick<StorageClass, 'metadata'>[];
  readonly claims: readonly PersistentVolumeClaim[];
}

const defaultKey = 'storageclass.kubernetes.io/is-default-class';

const classProblem = ({ className, classes }: VolumesObserved): { reason: string; message: string } | null => {
  const names = classes.map(({ metadata }) => metadata.name).sort();
  const there = names.length === 0 ? 'the cluster has none' : `there are: ${names.join(', ')}`;
  if (className !== '' && !names.includes(className)) {
    const advice = 'make it, or create the resource anew with one that exists';
    return { reason: 'StorageClassMissing', message: `storage class ${className} does not exist; ${there}; ${advice}` };
  }
  const hasDefault = classes.some(({ metadata }) => metadata.annotations?.[defaultKey] === 'true');
  if (className !== '' || hasDefault) return null;
  const advice = 'mark one as default, or name one in spec.storage.className of a new resource';
  return { reason: 'StorageClassMissing', message: `there is no default storage class; ${there}; ${advice}` };
};

/** Whether the volumes of a set are there, and if not what to do. A set whose claims are bound needs no class any more. */
export const volumesCondition = (observed: VolumesObserved): DesiredCondition => {
  const type = 'VolumesReady';
  const lost = observed.claims.filter(({ status }) => status?.phase === 'Lost').map(({ metadata }) => metadata.name);
  if (lost.length > 0) {
    const message = `the volume of ${lost.join(', ')} is gone: delete the claim, and its replica is rebuilt from a peer`;
    return { type, status: false, reason: 'VolumeLost', message };
  }
  const unbound = observed.claims
    .filter(({ status }) => status?.phase !== 'Bound')
    .map(({ metadata }) => metadata.name);
  if (unbound.length === 0 && observed.claims.length > 0) return { type, status: true, reason: 'Bound', message: '' };
  const problem = classProblem(observed);
  if (problem !== null) return { type, status: false, ...problem };
  return { type, status: 'Unknown', reason: 'Binding', message: '' };
};
