import { z } from 'zod';

/** Something that happens in a room and is not stored; gateways tell each other over core NATS. */
export const roomEvent = z.object({
  event: z.enum(['join', 'leave', 'typing']),
  info: z.object({ user: z.string(), client: z.string() }),
});
export type RoomEvent = z.infer<typeof roomEvent>;

/** Subject of a room's events. */
export const roomEventSubject = (namespace: string, room: string): string => `quartet.${namespace}.chatevent.${room}`;

/** Null when it is malformed. */
export const parseRoomEvent = (text: string): RoomEvent | null => {
  try {
    const parsed = roomEvent.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
};
