import { createHash } from 'node:crypto';

/** Names a stream's history by its creation time: a stream that was made anew has another epoch. */
export const epochOf = (created: string): string =>
  createHash('sha256').update(created).digest('base64url').slice(0, 8);
