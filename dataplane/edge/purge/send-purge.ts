import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import { purgeSubject } from '../../../contract/subjects.ts';
import { newInbox } from '../../fabric/nats-connection.ts';
import type { PurgeSelection } from '../serve/edge.ts';
import { type PurgeMessage, purgeReply } from './purge-message.ts';

/** Which edges did a purge, and which did not say so in time. */
export interface PurgeOutcome {
  readonly id: string;
  readonly acknowledged: readonly { readonly pod: string; readonly edge: string; readonly removed: number }[];
  readonly missing: readonly { readonly pod: string; readonly edge: string }[];
}

export interface PurgeTarget {
  readonly pod: string;
  readonly edge: string;
}

/** A purge is sent again to be sure: a message on core NATS may be lost when a connection breaks. */
const resendAfterMs = 400;

/**
 * Sends a purge to all edges and waits until each of `targets` has acknowledged it, at most `deadlineMs`.
 * Edges that nobody expected count as acknowledged as well.
 */
export async function sendPurge(
  nats: NatsConnection,
  namespace: string,
  selection: PurgeSelection,
  wait: { readonly targets: readonly PurgeTarget[]; readonly deadlineMs: number },
): Promise<PurgeOutcome> {
  const message: PurgeMessage = { id: randomUUID(), ...selection };
  const acknowledged = new Map<string, { pod: string; edge: string; removed: number }>();
  const inbox = newInbox(nats);
  const done = Promise.withResolvers<void>();
  const complete = (): boolean => wait.targets.every((target) => acknowledged.has(target.pod));
  const subscription = nats.subscribe(inbox, {
    callback: (error, reply) => {
      const parsed = error ? undefined : purgeReply.safeParse(parseJson(reply.string()));
      if (parsed?.success !== true || parsed.data.id !== message.id) return;
      const { pod, edge, removed } = parsed.data;
      acknowledged.set(pod, { pod, edge, removed: removed + (acknowledged.get(pod)?.removed ?? 0) });
      if (complete()) done.resolve();
    },
  });
  const send = (): void => nats.publish(purgeSubject(namespace), JSON.stringify(message), { reply: inbox });
  const resend = setInterval(send, resendAfterMs);
  const deadline = setTimeout(done.resolve, wait.deadlineMs);
  try {
    send();
    // With no edge known, whoever listens gets the time of one round.
    if (wait.targets.length === 0) setTimeout(done.resolve, resendAfterMs);
    await done.promise;
  } finally {
    clearInterval(resend);
    clearTimeout(deadline);
    subscription.unsubscribe();
  }
  return {
    id: message.id,
    acknowledged: [...acknowledged.values()],
    missing: wait.targets.filter((target) => !acknowledged.has(target.pod)),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
