import { z } from 'zod';
import { resourceName } from '../../../contract/names.ts';
import { replyErrors } from '../protocol/reply-error.ts';
import { answered, refused, rpcMethod } from './rpc-method.ts';

/** `{room, limit?, after?}`: members of a room in the order of their names, and who of them is online. */
export const users = rpcMethod(
  z.object({ room: resourceName, limit: z.number().int().min(1).max(500).default(100), after: z.string().default('') }),
  async ({ services, user }, input) => {
    const room = services.room(input.room);
    if (room === null) return refused(replyErrors.unknownChannel);
    if (!(await services.members.isMember(room.name, user))) return refused(replyErrors.permissionDenied);
    const all = services.members.members(room.name).filter((member) => member > input.after);
    const page = all.sort().slice(0, input.limit);
    const online = await services.presence.online(page);
    return answered({
      users: page.map((member) => ({ user: member, online: online.has(member) })),
      more: all.length > page.length,
    });
  },
);
