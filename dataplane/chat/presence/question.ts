import { z } from 'zod';
import type { Sessions } from './sessions.ts';

/** What gateways ask each other. Each answers for its own connections. */
export const question = z.discriminatedUnion('ask', [
  /** Clients of a room, at most `limit`. */
  z.object({ ask: z.literal('clients'), room: z.string(), limit: z.number() }),
  /** Which of these users have a connection. */
  z.object({ ask: z.literal('online'), users: z.array(z.string()) }),
  /** Distinct users of a room. */
  z.object({ ask: z.literal('users'), room: z.string() }),
  /** Rooms with subscribers, and the gateway itself. */
  z.object({ ask: z.literal('gateway') }),
]);
export type Question = z.infer<typeof question>;

const clientInfo = z.object({ user: z.string(), client: z.string() });

export const answer = z.object({
  pod: z.string(),
  clients: z.array(clientInfo).default([]),
  /** Clients in the room, also beyond the limit. */
  total: z.number().default(0),
  users: z.array(z.string()).default([]),
  rooms: z.record(z.string(), z.number()).default({}),
  connections: z.number().default(0),
  uptimeSeconds: z.number().default(0),
});
export type Answer = z.infer<typeof answer>;

/** Users named in one answer; a NATS message must hold them. */
export const maxUsersInAnswer = 20_000;

/** This gateway's answer. */
export const answerFrom = (sessions: Sessions, pod: string, asked: Question): Partial<Answer> & { pod: string } => {
  switch (asked.ask) {
    case 'clients': {
      const clients = sessions.inRoom(asked.room);
      return {
        pod,
        clients: clients.slice(0, asked.limit).map(({ user, client }) => ({ user, client })),
        total: clients.length,
      };
    }
    case 'users':
      return {
        pod,
        total: sessions.sizeOf(asked.room),
        users: [...sessions.usersIn(asked.room)].slice(0, maxUsersInAnswer),
      };
    case 'online':
      return { pod, users: asked.users.filter((user) => sessions.sessionsOf(user).length > 0) };
    case 'gateway':
      return {
        pod,
        rooms: Object.fromEntries(sessions.rooms.map((room) => [room, sessions.sizeOf(room)])),
        connections: sessions.count,
        total: sessions.users,
        uptimeSeconds: Math.round(process.uptime()),
      };
  }
};
