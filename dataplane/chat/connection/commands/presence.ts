import type { RequestOf } from '../../protocol/command.ts';
import { replyErrors } from '../../protocol/reply-error.ts';
import type { Connection } from '../connection.ts';
import { memberRoom } from '../member-room.ts';
import { refusal, result, type Outcome } from '../outcome.ts';

/** The connections that are subscribed to a room, over all gateways. */
export const presence = async (connection: Connection, request: RequestOf<'presence'>): Promise<Outcome> => {
  const found = await memberRoom(connection, request.channel);
  if (!found.ok) return refusal(found.error);
  const clients = await connection.services.presence.clients(found.room.name);
  if (clients === null) return refusal(replyErrors.limitExceeded);
  return result({ presence: Object.fromEntries(clients.map((info) => [info.client, info])) });
};

/** Connections and distinct users of a room, over all gateways. */
export const presenceStats = async (connection: Connection, request: RequestOf<'presence_stats'>): Promise<Outcome> => {
  const found = await memberRoom(connection, request.channel);
  if (!found.ok) return refusal(found.error);
  const { clients, users } = await connection.services.presence.stats(found.room.name);
  return result({ num_clients: clients, num_users: users });
};
