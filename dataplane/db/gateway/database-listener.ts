import type { Pod } from '../../fabric/pod.ts';
import { answerDatabaseRequest, databaseSubject } from './database-service.ts';
import type { Router } from './router.ts';

const queueGroup = 'db-gateways';

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as unknown;
  } catch {
    return undefined;
  }
};

/** Serves every database of the namespace over NATS, together with all other gateways. Answers what ends that. */
export const listenForDatabaseRequests = (pod: Pod, router: Router): (() => void) => {
  const subscription = pod.nats.subscribe(databaseSubject(pod.env.QUARTET_NAMESPACE, '*'), {
    queue: queueGroup,
    callback: (error, message) => {
      if (error) return;
      const database = message.subject.slice(message.subject.lastIndexOf('.') + 1);
      void answerDatabaseRequest(router, database, parseJson(message.data)).then((answer) =>
        message.respond(JSON.stringify(answer)),
      );
    },
  });
  return () => subscription.unsubscribe();
};
