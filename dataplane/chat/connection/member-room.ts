import type { ChatRoomEntry } from '../../../contract/directory.ts';
import { roomOf } from '../protocol/channel.ts';
import { replyErrors, withDetail, type ReplyError } from '../protocol/reply-error.ts';
import type { Connection } from './connection.ts';

/** The room of a channel if the connection's user is a member of it. */
export type MemberRoom =
  { readonly ok: true; readonly room: ChatRoomEntry } | { readonly ok: false; readonly error: ReplyError };

/**
 * Finds the room and checks membership: what publish, history and presence ask for first.
 * @throws ChatError `unavailable`
 */
export const memberRoom = async (connection: Connection, channel: string): Promise<MemberRoom> => {
  const room = connection.services.room(roomOf(channel) ?? '');
  if (room === null) return { ok: false, error: replyErrors.unknownChannel };
  if (!(await connection.services.members.isMember(room.name, connection.user))) {
    return { ok: false, error: withDetail(replyErrors.permissionDenied, 'not a member of this room') };
  }
  return { ok: true, room };
};
