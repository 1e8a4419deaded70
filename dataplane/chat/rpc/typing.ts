import { z } from 'zod';
import { resourceName } from '../../../contract/names.ts';
import { replyErrors } from '../protocol/reply-error.ts';
import { answered, refused, rpcMethod } from './rpc-method.ts';

/** `{room}`: tells the room's subscribers that the user is typing; nothing is stored. */
export const typing = rpcMethod(z.object({ room: resourceName }), async ({ services, user, info }, input) => {
  const room = services.room(input.room);
  if (room === null) return refused(replyErrors.unknownChannel);
  if (!(await services.members.isMember(room.name, user))) return refused(replyErrors.permissionDenied);
  services.hubs.announce(room.name, { event: 'typing', info });
  return answered({});
});
