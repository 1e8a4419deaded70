import { resourceName } from '../../../contract/names.ts';

const prefix = 'room:';

/** The channel of a room. */
export const channelOf = (room: string): string => `${prefix}${room}`;

/** The room's name of a channel `room:<name>`, or null when the channel is no room's. */
export const roomOf = (channel: string): string | null => {
  if (!channel.startsWith(prefix)) return null;
  const name = channel.slice(prefix.length);
  return resourceName.safeParse(name).success ? name : null;
};
