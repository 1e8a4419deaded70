import { z } from 'zod';
import { userId } from '../connection/token.ts';
import { replyErrors, withDetail } from '../protocol/reply-error.ts';
import { answered, refused, rpcMethod } from './rpc-method.ts';

/** `{user?}`: a user's record; of others only what is shared: no mail address, and rooms that both are in. */
export const user = rpcMethod(z.object({ user: userId.optional() }), async ({ services, user: self }, input) => {
  const wanted = input.user ?? self;
  const record = await services.users.get(wanted);
  if (record === null) return refused(withDetail(replyErrors.notAvailable, 'no such user'));
  const own = new Set(services.members.roomsOf(self));
  const online = (await services.presence.online([wanted])).has(wanted);
  return answered({
    user: wanted,
    username: record.username,
    ...(wanted === self && record.email !== undefined ? { email: record.email } : {}),
    status: online ? record.status : 'offline',
    online,
    lastSeen: record.lastSeen,
    rooms: services.members.roomsOf(wanted).filter((room) => own.has(room)),
    ...(wanted === self ? { sessions: services.sessions.sessionsOf(self) } : {}),
  });
});
