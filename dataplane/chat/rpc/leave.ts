import { z } from 'zod';
import { resourceName } from '../../../contract/names.ts';
import { replyErrors } from '../protocol/reply-error.ts';
import { answered, refused, rpcMethod } from './rpc-method.ts';

/** `{room}`: ends the membership, and the subscriptions of all the user's connections with it. */
export const leave = rpcMethod(z.object({ room: resourceName }), async ({ services, user }, input) => {
  const room = services.room(input.room);
  if (room === null) return refused(replyErrors.unknownChannel);
  const { changed } = await services.members.leave(room.name, user);
  return answered({ room: room.name, left: changed });
});
