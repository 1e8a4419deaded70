import type { Msg } from '@nats-io/nats-core';
import type { LiveMessage } from './sequencer.ts';
import { decodeBody } from './stored-publication.ts';

/** Reads a message that a stream republished; null when it lacks the stream's headers, so it comes from elsewhere. */
export const readLive = (message: Pick<Msg, 'headers' | 'string'>): LiveMessage | null => {
  const { headers } = message;
  const seq = Number(headers?.get('Nats-Sequence'));
  const previous = Number(headers?.get('Nats-Last-Sequence'));
  const time = Date.parse(headers?.get('Nats-Time-Stamp') ?? '');
  if (!Number.isSafeInteger(seq) || seq <= 0 || !Number.isSafeInteger(previous) || Number.isNaN(time)) return null;
  return { seq, previous, publication: decodeBody(message.string(), seq, time) };
};
