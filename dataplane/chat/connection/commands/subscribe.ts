import type { ChatRoomEntry } from '../../../../contract/directory.ts';
import { roomOf } from '../../protocol/channel.ts';
import type { RequestOf } from '../../protocol/command.ts';
import { disconnects } from '../../protocol/disconnect.ts';
import { replyErrors, withDetail, type ReplyError } from '../../protocol/reply-error.ts';
import type { Subscribed } from '../../room/hub.ts';
import type { Connection } from '../connection.ts';
import { disconnect, refusal, result, sent, type Outcome } from '../outcome.ts';

/** Whether a token of the client opens the room to it: by a claim of the connection, or a token for this channel. */
const isInvited = async (connection: Connection, request: RequestOf<'subscribe'>): Promise<boolean> => {
  if (connection.identity?.channels.includes(request.channel) === true) return true;
  if (request.token === undefined || request.token === '') return false;
  const verified = await connection.services.tokens.subscription(request.token);
  return verified.ok && verified.value.sub === connection.user && verified.value.channel === request.channel;
};

/** Why the client may not subscribe; null when it may. Whom a token invites, and everybody in development, joins. */
const admit = async (
  connection: Connection,
  room: ChatRoomEntry,
  request: RequestOf<'subscribe'>,
): Promise<ReplyError | null> => {
  const { members, development } = connection.services;
  if (await members.isMember(room.name, connection.user)) return null;
  if (!development && !(await isInvited(connection, request))) {
    return withDetail(replyErrors.permissionDenied, 'not a member of this room');
  }
  await members.join(room.name, connection.user, room.maxMembers);
  return null;
};

const subscribedLine = (id: number, { epoch, offset, publications, recovered }: Subscribed): string => {
  const head = `"recoverable":true,"positioned":true,"epoch":${JSON.stringify(epoch)},"offset":${offset}`;
  const recovery = recovered === null ? '' : `,"was_recovering":true,"recovered":${recovered}`;
  const missed = publications.length === 0 ? '' : `,"publications":[${publications.map(({ json }) => json).join(',')}]`;
  return `{"id":${id},"subscribe":{${head}${recovery}${missed}}}`;
};

/** Subscribes to a room, with recovery of what was missed since a position. */
export const subscribe = async (
  connection: Connection,
  id: number,
  request: RequestOf<'subscribe'>,
): Promise<Outcome> => {
  const { services, subscriptions } = connection;
  const room = services.room(roomOf(request.channel) ?? '');
  if (room === null) return refusal(replyErrors.unknownChannel);
  if (subscriptions.has(room.name)) return refusal(replyErrors.alreadySubscribed);
  if (subscriptions.size >= services.limits.maxSubscriptions) return disconnect(disconnects.channelLimit);
  const refused = await admit(connection, room, request);
  if (refused !== null) return refusal(refused);
  const hub = await services.hubs.open(room.name);
  const from = request.recover ? { offset: request.offset, epoch: request.epoch } : null;
  await hub.subscribe(connection, from, (subscribed) => {
    if (connection.closed) return hub.unsubscribe(connection);
    subscriptions.set(room.name, hub);
    if (request.join_leave) hub.presence.listeners.add(connection);
    services.sessions.enter(room.name, connection.info);
    connection.send(subscribedLine(id, subscribed));
    services.hubs.announce(room.name, { event: 'join', info: connection.info });
  });
  return sent;
};

/** Ends a subscription; membership stays. */
export const unsubscribe = (connection: Connection, { channel }: RequestOf<'unsubscribe'>): Outcome => {
  const { services, subscriptions } = connection;
  const name = roomOf(channel) ?? '';
  const hub = subscriptions.get(name);
  if (hub === undefined) return result({});
  subscriptions.delete(name);
  hub.unsubscribe(connection);
  services.sessions.exit(name, connection.client);
  services.hubs.announce(name, { event: 'leave', info: connection.info });
  return result({});
};
