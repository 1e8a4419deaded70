import { z } from 'zod';
import { resourceName } from '../../../contract/names.ts';
import { channelOf } from '../protocol/channel.ts';
import { replyErrors, withDetail } from '../protocol/reply-error.ts';
import { answered, refused, rpcMethod } from './rpc-method.ts';

/** `{room}`: becomes a member of a public room, or of one that the client's token opens. */
export const join = rpcMethod(z.object({ room: resourceName }), async ({ services, user, identity }, input) => {
  const room = services.room(input.room);
  if (room === null) return refused(replyErrors.unknownChannel);
  const invited = identity?.channels.includes(channelOf(room.name)) === true;
  const open = room.type === 'public' || services.development || invited;
  if (!open && !(await services.members.isMember(room.name, user))) {
    return refused(withDetail(replyErrors.permissionDenied, 'this room is by invitation'));
  }
  const { changed } = await services.members.join(room.name, user, room.maxMembers);
  return answered({ room: room.name, joined: changed, members: services.members.count(room.name) });
});
