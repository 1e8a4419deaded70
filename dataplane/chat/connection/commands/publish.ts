import type { RequestOf } from '../../protocol/command.ts';
import { sendMessage } from '../../message/send.ts';
import type { Connection } from '../connection.ts';
import { memberRoom } from '../member-room.ts';
import { refusal, result, type Outcome } from '../outcome.ts';

/** Publishes a message; acknowledged once it is stored. */
export const publish = async (connection: Connection, request: RequestOf<'publish'>): Promise<Outcome> => {
  const found = await memberRoom(connection, request.channel);
  if (!found.ok) return refusal(found.error);
  const sender = { user: connection.user, trusted: false, now: Date.now() };
  const sent = await sendMessage(connection.services, found.room, request.data, { sender, info: connection.info });
  return sent.ok ? result({}) : refusal(sent.error);
};
