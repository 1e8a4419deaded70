import type { Logger } from 'pino';
import type { ApiClient } from '../api/client.ts';
import type { Pod } from '../api/objects.ts';
import { reasonOf } from '../errors.ts';

/** Tells people about a pod through a Kubernetes Event. Best effort: an event that cannot be written is logged. */
export const eventRecorder =
  (client: ApiClient, log: Logger) =>
  (pod: Pod, reason: string, message: string): void => {
    const { namespace = 'default', name, uid } = pod.metadata;
    const now = new Date().toISOString();
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { generateName: `${name.slice(0, 200)}.`, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
      reason,
      message: message.slice(0, 1000),
      type: 'Warning',
      source: { component: 'quartet-kubelet', host: pod.spec.nodeName ?? '' },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    client.post(`/api/v1/namespaces/${namespace}/events`, event).catch((error: unknown) => {
      log.debug({ reason: reasonOf(error) }, 'event not written');
    });
  };
