import { z } from 'zod';
import type { ChatRoomEntry } from '../../../contract/directory.ts';
import type { Connection } from '../connection/connection.ts';
import { answered, rpcMethod } from './rpc-method.ts';

/** What a client sees of a room. */
const shown = ({ services }: Connection, room: ChatRoomEntry, joined: boolean) => ({
  name: room.name,
  displayName: room.displayName,
  type: room.type,
  members: services.members.count(room.name),
  maxMembers: room.maxMembers,
  fileUpload: room.fileUpload,
  joined,
});

/** `{}`: public rooms and those that the user is a member of. */
export const rooms = rpcMethod(z.object({}), async (connection) => {
  const { services, user } = connection;
  const joined = new Set(services.members.roomsOf(user));
  const visible = services.rooms().filter((room) => room.type === 'public' || joined.has(room.name));
  return answered({ rooms: visible.map((room) => shown(connection, room, joined.has(room.name))) });
});
