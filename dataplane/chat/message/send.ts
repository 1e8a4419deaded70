import { performance } from 'node:perf_hooks';
import type { ChatRoomEntry } from '../../../contract/directory.ts';
import { encodeUser } from '../membership/user-key.ts';
import type { ClientInfo } from '../protocol/reply.ts';
import type { ReplyError } from '../protocol/reply-error.ts';
import { encodeBody } from '../room/stored-publication.ts';
import type { Services } from '../services.ts';
import type { Appended } from '../store/message-log.ts';
import { makeMessage, type Message, type Sender } from './message.ts';

export type Sent =
  | { readonly ok: true; readonly stored: Appended; readonly message: Message }
  | { readonly ok: false; readonly error: ReplyError };

/**
 * Validates and stores a message; it reaches subscribers through the stream. Ok only once it is stored.
 * @throws ChatError `unknown-outcome`, `unavailable`, `refused`
 */
export const sendMessage = async (
  services: Services,
  room: ChatRoomEntry,
  data: unknown,
  from: { sender: Sender; info: ClientInfo | null },
): Promise<Sent> => {
  const made = makeMessage(data, room, from.sender);
  if (!made.ok) return made;
  const { message } = made;
  const body = encodeBody({ data: message, ...(from.info === null ? {} : { info: from.info }) });
  const started = performance.now();
  const stored = await services.log.append(room.name, `${room.name}.${encodeUser(message.user)}.${message.id}`, body);
  services.metrics.publishSeconds.observe((performance.now() - started) / 1000);
  if (!stored.duplicate) services.notifier.stored(room.name, message, stored.seq);
  return { ok: true, stored, message };
};
