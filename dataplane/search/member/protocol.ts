import { z } from 'zod';
import type { SortKey } from '../scoring/sort.ts';
import type { Statistics } from '../scoring/statistics.ts';
import { indexInfo, mappingsData } from '../store/manifest.ts';
import { writeItem, type WriteOutcome } from '../primary/write-item.ts';
import type { SearchErrorCode } from '../search-error.ts';

/** What gateways ask of a member, on its `memberSubject`, as JSON. */
const statistics = z.object({
  fields: z.record(z.string(), z.object({ docs: z.number(), length: z.number() })),
  terms: z.record(z.string(), z.number()),
});

export const memberRequest = z.discriminatedUnion('type', [
  /** Writes, in order. Primary only. */
  z.object({ type: z.literal('write'), items: z.array(writeItem) }),
  /** Documents by id. `linearizable`: on the primary, as of now; else as this replica has them. */
  z.object({ type: z.literal('get'), ids: z.array(z.string()), linearizable: z.boolean() }),
  /** What a search has to know first: whether the index exists, its last change, and the statistics of the query's terms. */
  z.object({ type: z.literal('prepare'), query: z.unknown().optional() }),
  /** One shard's part of a search. `body`: as for `_search`. */
  z.object({
    type: z.literal('search'),
    body: z.unknown().optional(),
    statistics,
    /** This replica must have applied that entry; it waits a little for it. */
    changed: z.number(),
    waitMs: z.number(),
    limit: z.number().int().nonnegative(),
    /** Whether sources and highlights come with the hits. */
    inline: z.boolean(),
  }),
  /** Sources and highlights of hits of a search that was answered not long ago. */
  z.object({ type: z.literal('fetch'), token: z.string(), hits: z.array(z.number().int().nonnegative()) }),
  z.object({ type: z.literal('info') }),
  z.object({ type: z.literal('create-index'), info: indexInfo, mappings: mappingsData }),
  z.object({ type: z.literal('drop-index') }),
  z.object({ type: z.literal('mappings'), mappings: mappingsData }),
]);
export type MemberRequest = z.infer<typeof memberRequest>;

/** Content of one hit or document. */
export interface DocumentContent {
  readonly source?: unknown;
  readonly highlight?: Record<string, string[]> | null;
  readonly version: number;
  readonly seqNo: number;
  readonly primaryTerm: number;
}

export interface MemberHit {
  readonly id: string;
  readonly score: number;
  readonly keys: readonly SortKey[];
  /** Absent: to be fetched. */
  readonly content?: DocumentContent;
}

export interface WriteReply {
  readonly outcomes: readonly WriteOutcome[];
}

export interface GetReply {
  readonly exists: boolean;
  /** Null: no such document. */
  readonly documents: readonly (DocumentContent | null)[];
}

export interface PrepareReply {
  readonly uuid: string | null;
  readonly changed: number;
  readonly statistics: Statistics;
}

export interface SearchReply {
  readonly hits: readonly MemberHit[];
  readonly total: number;
  readonly exact: boolean;
  readonly token: string;
}

export interface FetchReply {
  /** In the order asked for; may be fewer, ask again for the rest. */
  readonly contents: readonly DocumentContent[];
}

export interface InfoReply {
  readonly index: z.infer<typeof indexInfo> | null;
  readonly mappings: z.infer<typeof mappingsData>;
  readonly documents: number;
  readonly deleted: number;
  readonly bytes: number;
  readonly segments: number;
  readonly changed: number;
}

/** An answer, or why there is none. */
export type MemberReply<T> =
  | ({ readonly ok: true } & T)
  | {
      readonly ok: false;
      readonly code: SearchErrorCode | 'behind' | 'expired' | 'failed';
      readonly errorType: string;
      readonly reason: string;
    };

/** Documents in one reply: fits well below the largest message of NATS. */
export const maxReplyBytes = 4 * 1024 * 1024;
