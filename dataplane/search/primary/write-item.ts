import { z } from 'zod';

/** Longest document id, in UTF-8 bytes. */
export const maxIdBytes = 512;

/** One write as a gateway asks for it. */
export const writeItem = z.object({
  /**
   * - index: create or replace; create: refuse when it exists
   * - update: merge `source` (the `_update` body: doc, upsert, doc_as_upsert, detect_noop) into what is there
   */
  kind: z.enum(['index', 'create', 'delete', 'update']),
  id: z.string().min(1),
  /** JSON text; absent for deletes. */
  source: z.string().optional(),
  /** Names the request: asking again with it answers what became of it. */
  nonce: z.string().min(1).max(64),
  ifSeqNo: z.number().int().nonnegative().optional(),
  ifPrimaryTerm: z.number().int().nonnegative().optional(),
  /** `version_type=external`: this version is written if it is higher than the current one. */
  externalVersion: z.number().int().nonnegative().optional(),
});
export type WriteItem = z.infer<typeof writeItem>;

/** What became of a write. */
export type WriteOutcome =
  | {
      readonly ok: true;
      readonly result: 'created' | 'updated' | 'deleted' | 'not_found' | 'noop';
      readonly version: number;
      readonly seqNo: number;
      readonly primaryTerm: number;
    }
  | {
      readonly ok: false;
      /** retry: surely not executed. unknown: ask again with the same nonce. */
      readonly retry: 'no' | 'retry' | 'unknown';
      readonly status: number;
      readonly type: string;
      readonly reason: string;
    };
