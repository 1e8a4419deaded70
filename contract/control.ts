import { z } from 'zod';

/** Commands of the operator to one pod; see `controlSubject`. A pod answers each within 5 s. */
export const controlRequest = z.discriminatedUnion('type', [
  /**
   * Become primary with this term. The replica applies the log to its tail, then appends TERM(term) by compare-and-set:
   * the log decides. Asking again with the term that it owns already answers ok.
   */
  z.object({ type: z.literal('promote'), term: z.number().int().positive() }),
  /** Stop being primary: refuse new writes, settle those in flight, follow. Used before a planned switchover. */
  z.object({ type: z.literal('step-down') }),
  /** Finish what runs, take no new work; the pod will be deleted. */
  z.object({ type: z.literal('drain') }),
]);
export type ControlRequest = z.infer<typeof controlRequest>;

export const controlReply = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), term: z.number().int(), applied: z.number().int() }),
  z.object({
    ok: z.literal(false),
    /**
     * - stale-term: the log holds this term or a higher one already (`term` says which)
     * - not-ready: cannot lead now (rebuilding, halted, starting)
     * - failed: tried and did not succeed; ask again
     * - unsupported: this role does not know the command
     */
    code: z.enum(['stale-term', 'not-ready', 'failed', 'unsupported']),
    message: z.string(),
    term: z.number().int().optional(),
  }),
]);
export type ControlReply = z.infer<typeof controlReply>;
