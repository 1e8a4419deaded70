import { purgeSubject } from '../../../contract/subjects.ts';
import type { Pod } from '../../fabric/pod.ts';
import type { Edge } from '../serve/edge.ts';
import { purgeMessage, type PurgeReply } from './purge-message.ts';

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * Carries out purges and acknowledges each. A purge may be sent twice; doing it again is harmless.
 * An edge that was cut off from NATS may have missed some: it has everything validated before the next use.
 */
export function answerPurges(pod: Pod, edge: Edge, name: string): void {
  const subscription = pod.nats.subscribe(purgeSubject(pod.env.QUARTET_NAMESPACE), {
    callback: (error, message) => {
      if (error) return;
      const parsed = purgeMessage.safeParse(parse(message.string()));
      if (!parsed.success) {
        pod.log.warn('a malformed purge was dropped');
        return;
      }
      const removed = edge.purge(parsed.data);
      const reply: PurgeReply = { id: parsed.data.id, pod: pod.env.QUARTET_POD, edge: name, removed };
      message.respond(JSON.stringify(reply));
      pod.log.info({ purge: parsed.data.id, removed }, 'purged');
    },
  });
  pod.onShutdown('purges', async () => subscription.unsubscribe());
  void expireOnReconnect(pod, edge);
}

async function expireOnReconnect(pod: Pod, edge: Edge): Promise<void> {
  for await (const status of pod.nats.status()) {
    if (status.type === 'reconnect') edge.expireAll(Date.now());
  }
}
