import { z } from 'zod';

/**
 * How far retention may have removed a room's messages. It is written before anything is removed, so a position at or
 * above the floor can be recovered exactly, and one below it never claims to be.
 */
const floor = z.object({ epoch: z.string(), seq: z.number().int().nonnegative() });
export type Floor = z.infer<typeof floor>;

/** Key of a room's floor in the chat bucket. */
export const floorKey = (room: string): string => `floor.${room}`;

/** Null when it is not a floor. */
export const parseFloor = (text: string): Floor | null => {
  try {
    const parsed = floor.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
};
