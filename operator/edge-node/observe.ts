import { suspectAfterMs } from '../../contract/heartbeat.ts';
import type { EdgeNode } from '../kinds.ts';
import type { Operation } from '../operation.ts';
import type { Pod, Service } from '../runtime/builtin.ts';
import type { EdgeNodeObserved, EdgePod } from './plan.ts';

const isReady = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  (pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false);

/** Where a Service is reached; null when it has no address. */
export const addressOf = (service: Service | undefined): string | null => {
  const address = service?.spec?.clusterIP;
  if (service?.spec?.type === 'ExternalName') return service.spec.externalName ?? null;
  return address === undefined || address === '' || address === 'None' ? null : address;
};

/** Reads what a plan for an edge needs from caches and heartbeats. */
export const observeEdge = (
  edge: EdgeNode,
  { caches, heartbeats, link }: Operation,
): Omit<EdgeNodeObserved, 'foreign' | 'figuresSinceMs'> => {
  const namespace = edge.metadata.namespace ?? '';
  const pods = caches.pods.by('set', `edge/${namespace}/${edge.metadata.name}`).map((pod): EdgePod => {
    const heard = heartbeats.get(namespace, pod.metadata.name);
    const fresh = heard !== undefined && performance.now() - heard.receivedAt <= suspectAfterMs;
    return {
      pod: pod.metadata.name,
      ip: pod.status?.podIP ?? '',
      ready: isReady(pod),
      load: fresh ? (heard.beat.edge ?? null) : null,
    };
  });
  return {
    edge,
    nats: link.state,
    pods,
    serviceAddress: (name) => addressOf(caches.services.get({ namespace, name })),
    routers: caches.deployments.get({ namespace, name: 'edge-router' })?.status?.availableReplicas ?? 0,
  };
};
