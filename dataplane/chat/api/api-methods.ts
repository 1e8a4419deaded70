import { z } from 'zod';
import type { ChatRoomEntry } from '../../../contract/directory.ts';
import { historyJson } from '../connection/commands/history.ts';
import { userId } from '../connection/token.ts';
import { sendMessage } from '../message/send.ts';
import { channelOf, roomOf } from '../protocol/channel.ts';
import { badRequest } from '../protocol/bad-request.ts';
import { replyErrors, type ReplyError } from '../protocol/reply-error.ts';
import { readHistory } from '../room/history.ts';
import type { Services } from '../services.ts';

/** `json` is the result as JSON text. */
export type ApiAnswer =
  { readonly ok: true; readonly json: string } | { readonly ok: false; readonly error: ReplyError };

/** May reject with ChatError. */
export type ApiMethod = (services: Services, body: unknown) => Promise<ApiAnswer>;

const done = (value: object): ApiAnswer => ({ ok: true, json: JSON.stringify(value) });
const failed = (error: ReplyError): ApiAnswer => ({ ok: false, error });

/** A method on one room: checks the body, finds the room. */
const onRoom =
  <I extends { channel: string }>(
    input: z.ZodType<I>,
    run: (services: Services, room: ChatRoomEntry, input: I) => Promise<ApiAnswer>,
  ): ApiMethod =>
  async (services, body) => {
    const parsed = input.safeParse(body);
    if (!parsed.success) return failed(badRequest(parsed.error));
    const room = services.room(roomOf(parsed.data.channel) ?? '');
    return room === null ? failed(replyErrors.unknownChannel) : await run(services, room, parsed.data);
  };

const channel = z.string().min(1).max(255);
const position = z.object({ offset: z.number().int().nonnegative().default(0), epoch: z.string().default('') });

/** The user in whose name servers send unless they name one. */
const serverUser = 'server';

const publish = onRoom(
  z.object({
    channel,
    data: z.record(z.string(), z.unknown()),
    user: userId.default(serverUser),
    idempotency_key: z.string().max(64).optional(),
  }),
  async (services, room, { data, user, idempotency_key: key }) => {
    const input = key === undefined ? data : { id: key, ...data };
    const sender = { user, trusted: true, now: Date.now() };
    const sent = await sendMessage(services, room, input, { sender, info: null });
    if (!sent.ok) return failed(sent.error);
    const epoch = services.hubs.find(room.name)?.epoch ?? (await services.log.position(room.name)).epoch;
    return done({ offset: sent.stored.seq, epoch });
  },
);

const history = onRoom(
  z.object({
    channel,
    limit: z.number().int().min(-1).default(0),
    since: position.optional(),
    reverse: z.boolean().default(false),
  }),
  async (services, room, query) => {
    const read = await readHistory(services, room, query);
    return read.ok ? { ok: true, json: historyJson(read.history) } : failed(read.error);
  },
);

const presence = onRoom(z.object({ channel }), async (services, room) => {
  const clients = await services.presence.clients(room.name);
  if (clients === null) return failed(replyErrors.limitExceeded);
  return done({ presence: Object.fromEntries(clients.map((info) => [info.client, info])) });
});

const presenceStats = onRoom(z.object({ channel }), async (services, room) => {
  const { clients, users } = await services.presence.stats(room.name);
  return done({ num_clients: clients, num_users: users });
});

const membership = z.object({ channel, user: userId });

const join = onRoom(membership, async (services, room, { user }) => {
  const { changed } = await services.members.join(room.name, user, room.maxMembers);
  return done({ joined: changed, members: services.members.count(room.name) });
});

const leave = onRoom(membership, async (services, room, { user }) => {
  const { changed } = await services.members.leave(room.name, user);
  return done({ left: changed, members: services.members.count(room.name) });
});

const channels: ApiMethod = async (services) => {
  const counts = new Map<string, number>();
  for (const { rooms } of await services.presence.gateways()) {
    for (const [room, clients] of Object.entries(rooms)) counts.set(room, (counts.get(room) ?? 0) + clients);
  }
  const listed = [...counts].map(([room, clients]) => [channelOf(room), { num_clients: clients }]);
  return done({ channels: Object.fromEntries(listed) as object });
};

const info: ApiMethod = async (services) => {
  const gateways = await services.presence.gateways();
  const nodes = gateways.map((gateway) => ({
    uid: gateway.pod,
    name: gateway.pod,
    version: 'quartet',
    num_clients: gateway.connections,
    num_users: gateway.total,
    num_channels: Object.keys(gateway.rooms).length,
    uptime: gateway.uptimeSeconds,
  }));
  return done({ nodes });
};

/** The methods of the HTTP API, in the shapes of Centrifugo's server API; `join` and `leave` are our own. */
export const apiMethods: Readonly<Record<string, ApiMethod>> = {
  publish,
  history,
  presence,
  presence_stats: presenceStats,
  join,
  leave,
  channels,
  info,
};
