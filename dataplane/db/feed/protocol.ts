import { z } from 'zod';

/** What a gateway asks a member for. Keys and values are base64. */
export const feedRequest = z.object({
  prefix: z.base64(),
  /** First sequence that is wanted. */
  from: z.number().int().positive(),
  limit: z.number().int().min(1).max(10_000),
  waitMs: z.number().int().min(0).max(20_000),
});
export type FeedRequest = z.infer<typeof feedRequest>;

export const wireChange = z.object({
  seq: z.number().int(),
  time: z.number(),
  kind: z.enum(['put', 'delete', 'expire', 'clear']),
  key: z.base64(),
  type: z.number().int(),
  expireAt: z.number(),
  value: z.base64().nullable(),
});

export const feedAnswer = z.union([
  z.object({
    changes: z.array(wireChange),
    /** Ask from here next. */
    next: z.number().int(),
    /** Up to where the member has applied the log. */
    sequence: z.number().int(),
  }),
  z.object({ error: z.string() }),
]);
export type FeedAnswer = z.infer<typeof feedAnswer>;
